"""The gate, publishing, and the red end of a run with refused days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from nightjar.gates import judge
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook
from nightjar.tables.catalog import CatalogHook


class GateOperator(BaseOperator):
    """Judges each planned day by the audit's result, fails closed, and marks the refused ones in the state table.

    Returns ``{"run", "passed": [day], "refused": {day: reason}}``; fails, without a retry, when no day passes.

    :param plan: ``{"days": {day: fingerprint}, "planned_at", "code_sha"}``. Templated.
    :param run: the transform run that was audited (its submit key). Templated.
    :param bucket: lake bucket.
    :param audit_key: pattern of the audit's result, with the field ``{run}``.
    :param day_pk: partition key of the day items.
    """

    template_fields: Sequence[str] = ("plan", "run")

    def __init__(
        self, *, plan: Any, run: str, bucket: str, audit_key: str, state_table: str, day_pk: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.run = run
        self.bucket = bucket
        self.audit_key = audit_key
        self.state_table = state_table
        self.day_pk = day_pk

    def execute(self, context: Any) -> dict[str, Any]:
        key = self.audit_key.format(run=self.run)
        try:
            audit = ObjectStoreHook().get_json(self.bucket, key)
        except ValueError as error:
            audit = str(error)
        judgement = judge(audit, list(self.plan["days"]))
        state = StateHook(self.state_table)
        for day, reason in judgement.refused.items():
            item = {**day_item(self.plan, day, self.run), "status": "refused", "reason": reason}
            if state.advance(self.day_pk, day, item, "planned_at"):
                self.log.error("%s is refused: %s", day, reason)
            else:
                self.log.error("%s is refused (%s), and a newer run has had its say on that day", day, reason)
        if not judgement.passed:
            raise AirflowFailException(refusal_text(judgement.refused, f"s3://{self.bucket}/{key}"))
        return {"run": self.run, "passed": judgement.passed, "refused": judgement.refused}


class PublishDaysOperator(BaseOperator):
    """Points the catalog's partitions of the days that passed the gate at their run's files, then marks them published.

    A day on which a newer plan has published or refused is left alone: an old run that is cleared replaces nothing newer. Run it
    in a pool of one slot: UpdatePartition has no compare-and-set. Publishing the same run twice changes nothing.

    :param gate: what :class:`GateOperator` returned. Templated.
    :param plan: as there. Templated.
    :param run: the transform run; must be the one that the gate judged. Templated.
    :param database: Glue catalog database.
    :param tables: catalog table → ``{"columns": [(name, type)], "location": …, "partition": pattern with {run} and {day}}``;
        URIs.
    :param partition_column: (name, type).
    """

    template_fields: Sequence[str] = ("gate", "plan", "run")

    def __init__(
        self,
        *,
        gate: Any,
        plan: Any,
        run: str,
        database: str,
        tables: dict[str, dict[str, Any]],
        partition_column: tuple[str, str],
        state_table: str,
        day_pk: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.gate = gate
        self.plan = plan
        self.run = run
        self.database = database
        self.tables = tables
        self.partition_column = partition_column
        self.state_table = state_table
        self.day_pk = day_pk

    def execute(self, context: Any) -> list[str]:
        if not isinstance(self.gate, dict) or self.gate.get("run") != self.run or not self.gate.get("passed"):
            raise AirflowFailException(f"The gate has passed no day of run {self.run}: nothing is published.")
        catalog, state = CatalogHook(self.database), StateHook(self.state_table)
        for table, spec in self.tables.items():
            catalog.ensure_table(table, spec["columns"], self.partition_column, spec["location"])
        published = [day for day in self.gate["passed"] if self._publish(catalog, state, day)]
        if not published:
            raise AirflowSkipException(
                f"A newer run has published or refused each of {self.gate['passed']}: nothing to publish."
            )
        return published

    def _publish(self, catalog: CatalogHook, state: StateHook, day: str) -> bool:
        item = day_item(self.plan, day, self.run)
        before = state.get(self.day_pk, day) or {}
        if before.get("planned_at", "") > item["planned_at"]:
            self.log.warning("%s is left as run %s of %s has it", day, before.get("run"), before["planned_at"])
            return False
        for table, spec in self.tables.items():
            location = spec["partition"].format(run=self.run, day=day)
            catalog.point_partition(table, day, spec["columns"], location, item)
        state.advance(self.day_pk, day, {**item, "status": "published"}, "planned_at")
        self.log.info("%s is published from run %s", day, self.run)
        return True


class RefusedDaysOperator(BaseOperator):
    """The end of a run: red when the gate has refused a day, though the others are published."""

    template_fields: Sequence[str] = ("gate",)

    def __init__(self, *, gate: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gate = gate

    def execute(self, context: Any) -> None:
        if self.gate["refused"]:
            raise AirflowFailException(refusal_text(self.gate["refused"], f"run {self.gate['run']}"))


def day_item(plan: dict[str, Any], day: str, run: str) -> dict[str, str]:
    """What is kept of a day, in the state table and in its partitions: all strings."""
    return {
        "run": run,
        "fingerprint": plan["days"][day],
        "code_sha": plan["code_sha"],
        "planned_at": plan["planned_at"],
    }


def refusal_text(refused: dict[str, str], source: str) -> str:
    """What a person reads when days were refused."""
    lines = [f"  {day}: {reason}" for day, reason in refused.items()]
    advice = (
        "Look at the Data Docs and the quarantine; have the data or the expectations corrected; run the days again."
    )
    return "\n".join([f"{len(refused)} of the days are not published ({source}):", *lines, advice])
