"""Entry points of the Glue runtime: transform (raw → staged, processed rows) and audit (findings for the gate)."""
