-- Tells the laptop's scheduler that a run or task has changed, so that it need not look ten times a second
-- (airflow_site/nightjar_laptop/executor.py). Rows that did not change tell nothing. Nor do the states between "due" and
-- "ended" of a task, and the start of a run: the scheduler sets them itself and goes on in the same round, or a worker
-- says that it has begun. A task that was deferred is due by the triggerer's word.
CREATE OR REPLACE FUNCTION nightjar_wake_scheduler() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('nightjar_scheduler', '');
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER nightjar_wake_run AFTER UPDATE ON dag_run FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state IS DISTINCT FROM 'running') EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_new_run AFTER INSERT ON dag_run FOR EACH ROW EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_task AFTER UPDATE ON task_instance FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state IS DISTINCT FROM 'queued' AND NEW.state IS DISTINCT FROM 'running'
        AND NOT (OLD.state IS NULL AND NEW.state IS NOT DISTINCT FROM 'scheduled')) EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_asset AFTER INSERT ON asset_dag_run_queue FOR EACH ROW EXECUTE FUNCTION nightjar_wake_scheduler();
CREATE OR REPLACE TRIGGER nightjar_wake_dag AFTER UPDATE ON dag FOR EACH ROW
    WHEN (OLD.is_paused IS DISTINCT FROM NEW.is_paused) EXECUTE FUNCTION nightjar_wake_scheduler();
