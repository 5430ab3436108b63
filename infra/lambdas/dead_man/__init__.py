"""The function ``nightjar-dead-man`` (``main.py``)."""
