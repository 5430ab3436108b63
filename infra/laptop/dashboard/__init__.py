"""``make dashboard``: draws CloudWatch's dashboard ``nightjar`` from its JSON and metrics, as a page without a server.

| file | subject |
|---|---|
| ``widgets.py`` | the widgets of a dashboard, and the metrics of each |
| ``series.py`` | the values of the metrics |
| ``page.py`` | the page |
"""
