"""What the models page shows of a workload's versions, and what a person may do with them there (ADR 46).

It runs in Airflow's API server, so nothing here is slow to import: no Airflow, no pandas, no workload is loaded.
"""
