"""Operators, sensors, triggers and hooks that the Amazon provider lacks. Nothing below this imports ``include`` or ``dags``."""
