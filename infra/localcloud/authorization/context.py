"""The condition keys of one request: their values, and which of them the local cloud knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

Values = tuple[str, ...]
# A key that is asked for rarely is computed when a policy names it.
Computed = Callable[[str], Values | None]

# Global keys that a request to the local cloud never has, and whose absence is therefore known.
ABSENT = frozenset(
    f"aws:{name}"
    for name in (
        *("calledvia", "calledviafirst", "calledvialast", "ec2instancesourceprivateipv4", "ec2instancesourcevpc"),
        *("federatedprovider", "multifactorauthage", "principalorgid", "principalorgpaths", "principalservicename"),
        *("principalservicenameslist", "referer", "resourceorgid", "resourceorgpaths", "sourceaccount", "sourcearn"),
        *("sourceidentity", "sourceorgid", "sourceorgpaths", "sourceowner", "sourcevpc", "sourcevpcarn", "sourcevpce"),
        *("vpceaccount", "vpceorgid", "vpceorgpaths", "vpcsourceip"),
    )
)


class UnknownKeyError(LookupError):
    """A policy names a condition key or operator that the local cloud cannot evaluate."""


@dataclass
class RequestContext:
    """The condition keys of a request.

    Attributes:
        values: By key in lower case.
        computed: By the first part of a key in lower case up to and including ``/`` (or the whole key): computes the
            values when a policy names the key. The function gets the rest of the key.
        supported: Keys of the service (lower case) that the tables name for the action. Those that are neither in
            ``values`` nor in ``known`` cannot be evaluated.
        known: Keys (lower case) that the local cloud evaluates, though this request may not have them.
    """

    values: dict[str, Values] = field(default_factory=dict)
    computed: dict[str, Computed] = field(default_factory=dict)
    supported: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    def with_values(self, values: Mapping[str, Values]) -> RequestContext:
        """A copy with more values."""
        return replace(self, values={**self.values, **values})

    def get(self, key: str) -> Values | None:
        """The values of a key; None if the request has none.

        Raises:
            UnknownKeyError: The request may have the key on AWS, and the local cloud does not know its values.
        """
        lowered = key.lower()
        if lowered in self.values:
            return self.values[lowered]
        prefix, slash, _ = lowered.partition("/")
        compute = self.computed.get(prefix + slash)
        if compute is not None:
            values = compute(key.partition("/")[2])
            self.values.update({lowered: values} if values is not None else {})
            return values
        if lowered in self.known or lowered in ABSENT:
            return None
        if lowered.startswith("aws:") or lowered in self.supported or f"{prefix}/" in self.supported:
            raise UnknownKeyError(f"the condition key {key}")
        return None

    def variable(self, name: str) -> str | None:
        """The value of a policy variable; None if the request has none or several."""
        values = self.get(name)
        return values[0] if values and len(values) == 1 else None
