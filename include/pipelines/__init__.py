"""Domain logic of the DAGs, one package per pipeline. Hooks are passed in; nothing here imports Airflow."""
