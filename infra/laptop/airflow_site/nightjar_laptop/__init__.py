"""What the laptop's Airflow has and MWAA does not. This folder is on PYTHONPATH of the laptop's Airflow alone.

The folder beside it makes it a Python package with an entry point, through which Airflow finds the plugin.
"""
