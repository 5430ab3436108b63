"""Drills: ``make drill ALARM=<page>`` causes an alarm for real, and waits until it is told and over.

Production periods last minutes to hours. A drill makes a scratch copy of the alarm, ``<alarm>-drill``, with the same
metric, statistic and comparison, and with one period of a minute. What was changed is printed, and is in the copy's
description.

| file | subject |
|---|---|
| ``table.py`` | which drill an alarm has |
| ``scratch.py`` | the short copies of alarms |
| ``drill.py`` | the course of a drill: cause, wait, mend, wait |
| ``target.py`` | the running stack, as causes use it |
| ``cause.py`` | what a cause is |
| ``requests.py`` | requests to the service: invalid ones, large batches |
| ``denial.py`` | a role that lacks a permission: feedback fails, predictions are not delivered |
| ``sidecar.py`` | a container beside the service that takes its CPU or memory |
| ``frozen_task.py`` | a task that does not answer |
| ``failed_job.py`` | a training job that fails |
| ``slow_reader.py`` | a reader of the stream that is behind |
| ``checks.py`` | the dead-man check with another clock; the deadline check that does not run |
| ``dead_letter.py`` | a message that nobody could ingest |
| ``published.py`` | a metric that the drill itself publishes |
"""
