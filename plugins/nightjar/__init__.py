"""A toolkit for AWS jobs in Airflow: what the Amazon provider lacks. It imports neither ``include`` nor ``dags``."""
