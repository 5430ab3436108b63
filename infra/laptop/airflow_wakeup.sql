-- Tells the laptop's scheduler that a run or task has changed, so that it need not look ten times a second
-- (airflow_site/nightjar_laptop/executor.py). Rows that did not change tell nothing.
CREATE OR REPLACE FUNCTION nightjar_wake_scheduler() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('nightjar_scheduler', '');
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER nightjar_wake_run AFTER UPDATE ON dag_run FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_new_run AFTER INSERT ON dag_run FOR EACH ROW EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_task AFTER UPDATE ON task_instance FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_asset AFTER INSERT ON asset_dag_run_queue FOR EACH ROW EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_dag AFTER UPDATE ON dag FOR EACH ROW
    WHEN (OLD.is_paused IS DISTINCT FROM NEW.is_paused) EXECUTE FUNCTION nightjar_wake_scheduler();
