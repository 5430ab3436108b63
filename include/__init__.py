"""What the stages run. Nothing below this package imports Airflow."""
