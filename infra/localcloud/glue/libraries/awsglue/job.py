"""A job's beginning and end. Job bookmarks are refused."""

from __future__ import annotations

from typing import Any

from .missing import NotAvailableError


class Job:
    """One run of a job."""

    def __init__(self, glue_context: Any) -> None:
        self._initialized = False

    def init(self, job_name: str, args: dict[str, str] | None = None) -> None:
        """Begins the run.

        Raises:
            NotAvailableError: The job asks for bookmarks.
        """
        option = (args or {}).get("job_bookmark_option", "job-bookmark-disable")
        if option != "job-bookmark-disable":
            raise NotAvailableError(f"--job-bookmark-option {option}", "pass what is to be read as an argument")
        self._initialized = True

    def isInitialized(self) -> bool:  # noqa: N802 - Glue's name
        """Whether :meth:`init` was called."""
        return self._initialized

    def commit(self) -> None:
        """Ends the run. Without bookmarks there is nothing to save."""
