"""Compares the current policies of each role with the calls of recorded runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.laptop.iam.answered import answered_actions
from infra.laptop.iam.exceptions import Explained, GrantException, explain
from infra.laptop.iam.grants import RoleKind
from infra.laptop.iam.record import Call, Record
from infra.localcloud.authorization.usage import Grant


@dataclass(frozen=True)
class Measured:
    """One kind of role.

    Attributes:
        kind: The role.
        used: How many grants a recorded call has used.
        unused: Grants that no recorded call has used, and that no exception explains.
        explained: Unused grants with an exception.
        refused: Unused grants of the delivery for actions that the local cloud refuses: no run here can use them.
        later: Unused grants of the delivery for what a first apply, a plan and a destroy do not do: later changes,
            tags, releases. They are shown and counted, and are no error.
        denied: Calls that were denied in a recorded run, with how often.
        lost: Calls that were allowed in a recorded run, and that the current policy allows no more.
        needless: Exceptions of which every grant was used.
    """

    kind: RoleKind
    used: int
    unused: list[Grant]
    explained: list[Explained]
    refused: list[Grant]
    later: list[Grant]
    denied: dict[Call, int]
    lost: dict[Call, int]
    needless: list[GrantException]

    @property
    def is_clean(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.unused or self.denied or self.lost or self.needless)


def measure(kind: RoleKind, records: Iterable[Record], exceptions: tuple[GrantException, ...]) -> Measured:
    """Compares the current policy of a role with recorded calls.

    A grant of a role that each workload has counts as used when the role of any workload used it: the policies of all
    workloads are one template.
    """
    allowed, denied = _of_kind(kind, records)
    shape, attached = kind.grants(), kind.attached()
    used: set[int] = set()
    lost: dict[Call, int] = {}
    for workload, counts in allowed.items():
        grants = kind.grants(workload) if workload else shape
        for call, times in counts.items():
            matching = [number for number, grant in enumerate(grants) if _covers(grant, call)]
            used.update(matching)
            if not matching and not any(_covers(grant, call) for grant in attached):
                lost[call] = times
    unused = [grant for number, grant in enumerate(shape) if number not in used]
    refused = [grant for grant in unused if kind.is_of_delivery and grant.action.lower() not in answered_actions()]
    unused = [grant for grant in unused if grant not in refused]
    later, unused = (unused, []) if kind.is_of_delivery else ([], unused)
    own = tuple(exception for exception in exceptions if exception.role == kind.name)
    left, explained = explain(kind.name, unused, own)
    needed = {one.exception for one in explained}
    needless = [one for one in own if one not in needed]
    return Measured(kind, len(used), left, explained, refused, later, denied, lost, needless)


def _of_kind(kind: RoleKind, records: Iterable[Record]) -> tuple[Mapping[str, Counter[Call]], dict[Call, int]]:
    allowed: defaultdict[str, Counter[Call]] = defaultdict(Counter)
    denied: Counter[Call] = Counter()
    for record in records:
        for call, times in record.allowed.items():
            workload = kind.workload_of(call.role)
            if workload is not None:
                allowed[workload][call] += times
        denied.update({call: n for call, n in record.denied.items() if kind.workload_of(call.role) is not None})
    return allowed, dict(denied)


def _covers(grant: Grant, call: Call) -> bool:
    if "*" not in grant.action and "?" not in grant.action and grant.action.lower() != call.action.lower():
        return False  # most pairs: no pattern has to be compiled
    return grant.covers(call.action, call.resource)
