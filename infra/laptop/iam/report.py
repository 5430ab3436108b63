"""The text and the exit code of ``make iam``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from infra.laptop.config import LaptopConfig
from infra.laptop.iam import exceptions, grants, record
from infra.laptop.iam.comparison import Measured, measure
from infra.laptop.iam.record import SUITES, Record


def report(config: LaptopConfig) -> tuple[str, int]:
    """Compares the current policies with the records of this machine.

    Returns:
        The text, and the exit code: 0 when every grant is used or explained and no call was denied.

    Raises:
        LaptopError: A record or the file of exceptions is wrong.
    """
    known, digest = exceptions.load(), grants.policies_digest()
    by_record = {name: [kind for kind in grants.kinds() if _record_of(kind) == name] for name in SUITES}
    records = {name: record.load(record.path(config, name)) for name, kinds in by_record.items() if kinds}
    lines = [line for name, found in records.items() for line in _describe(name, found, digest)]
    measured = [measure(kind, [found], known) for name, found in records.items() if found for kind in by_record[name]]
    for title, on_aws in (("Roles", False), ("Roles that only Terraform makes", True)):
        of_place = [one for one in measured if one.kind.on_aws == on_aws]
        if of_place:
            lines += ["", f"{title}:", *(line for one in of_place for line in _role(one))]
    if measured:
        lines += ["", *_totals(measured)]
    is_good = all(found and not found.incomplete for found in records.values()) and all(o.is_clean for o in measured)
    if not is_good:
        lines += ["", *_advice(records, measured, digest)]
    return "\n".join(lines) + "\n", 0 if is_good else 1


def _record_of(kind: grants.RoleKind) -> str:
    """The record that has a role's calls: the delivery applies Terraform, and functions have tests of their own."""
    if kind.is_of_delivery:
        return "terraform"
    return "lambdas" if kind.trusted()["Service"] == "lambda.amazonaws.com" else "usage"


def _command(name: str) -> str:
    return f"make test PYTEST_ARGS={SUITES[name]}"


def _describe(name: str, found: Record | None, digest: str) -> Iterator[str]:
    if found is None:
        yield f"There is no record of {SUITES[name]}, so its roles are not measured."
        return
    outcomes = ", ".join(f"{number} {outcome}" for outcome, number in found.tests.items())
    yield f"Record of {found.suite}: commit {found.commit}, {found.time}, {outcomes}."
    if found.incomplete:
        yield f"  It does not count as whole: {found.incomplete}."
    if found.policies != digest:
        yield "  The policies have changed since. Their grants are compared with the calls of the older run."


def _role(one: Measured) -> Iterator[str]:
    yield (
        f"  {one.kind.role().name}: {one.used} grants used, {len(one.explained) + len(one.refused)} with an exception,"
        f" {len(one.unused)} unused, {sum(one.denied.values())} calls denied"
    )
    if one.later:
        yield f"    for later changes: {', '.join(sorted({grant.action for grant in one.later}))}"
    for grant in one.unused:
        yield f"    unused: {grant.action} on {grant.resource} ({grant.statement})"
    for call, times in one.denied.items():
        yield f"    denied: {call.action} on {call.resource}, {times} times ({call.role})"
    for call, times in one.lost.items():
        yield (f"    would be denied: {call.action} on {call.resource}, which the run did {times} times ({call.role})")
    for exception in one.needless:
        yield (
            f"    exception without use: {exception.statement}, {', '.join(exception.actions)}: a recorded call has"
            " used its grants, or it matches none"
        )


def _totals(measured: Sequence[Measured]) -> Iterator[str]:
    yield f"Grants that no run has used: {sum(len(one.unused) for one in measured)}"
    yield f"Denied calls: {sum(sum(one.denied.values()) + sum(one.lost.values()) for one in measured)}"
    by_type: Counter[str] = Counter(found.exception.type for one in measured for found in one.explained)
    by_type["for_later_changes"] = sum(len(one.later) for one in measured)
    by_type["refused_by_the_local_cloud"] = sum(len(one.refused) for one in measured)
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(by_type.items()) if number)
    yield f"Grants with an exception: {counted or 'none'}"


def _advice(records: Mapping[str, Record | None], measured: Sequence[Measured], digest: str) -> Iterator[str]:
    if not all(one.is_clean for one in measured):
        yield (
            "Remove what is unused from infra/policies, grant what is denied, or explain a grant in"
            " infra/policies/exceptions.yaml."
        )
    for name, found in records.items():
        if found is None or found.incomplete or found.policies != digest:
            yield f"Record again: {_command(name)}"
