"""The function ``nightjar-deadlines`` (``main.py``)."""
