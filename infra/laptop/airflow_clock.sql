-- The laptop's Airflow starts no run on a schedule, because its data ends in 2013. The scheduler creates a scheduled run when
-- dag.next_dagrun_create_after is in the past, so the laptop's database keeps that column empty. Pausing the DAGs would also stop
-- manual runs, and scheduler.use_job_schedule would also stop asset events, which start the deploy of an approved version.
CREATE OR REPLACE FUNCTION nightjar_no_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.next_dagrun_create_after := NULL;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER nightjar_no_clock BEFORE INSERT OR UPDATE ON dag FOR EACH ROW EXECUTE FUNCTION nightjar_no_clock();
