"""PySpark jobs: transform (raw to staged, processed rows) and audit (what the gate decides by)."""
