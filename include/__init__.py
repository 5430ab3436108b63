"""What the stages run. Nothing in this package imports Airflow."""
