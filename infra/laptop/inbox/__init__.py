"""The inbox: what a person would have been sent by SNS, kept in the run folder and shown by ``make alerts``.

| file | subject |
|---|---|
| ``messages.py`` | a message, and what it says of an alarm |
| ``store.py`` | takes messages from the queue, and keeps them |
| ``open_alarms.py`` | the alarms that are in ALARM now |
| ``page.py`` | the page ``alerts.html`` |
| ``command.py`` | ``make alerts`` |
"""
