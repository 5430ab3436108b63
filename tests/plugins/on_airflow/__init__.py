"""The tests of this folder share an Airflow, which ends with the last of them: it is a package for that."""
