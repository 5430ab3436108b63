"""The process pipeline: plan the days, evaluate the gate after the audit, publish the days that passed."""
