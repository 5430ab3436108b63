"""The laptop runner: sets the platform up on one machine, runs the nightly loop, follows runs. Never on AWS."""
