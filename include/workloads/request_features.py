"""``request_features``: a request may give the features themselves, in place of the record that they are computed from.

For callers that have the features already, such as a system that computes them for its own use. The features are
those of features.py, and the answer is the one that the record would get.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from include.workloads.feature_code import FeatureFunction, FeatureKind
from include.workloads.fields import FieldSpec

# Kind of a feature → the types of a field that can give it.
TYPES: dict[FeatureKind, tuple[str, ...]] = {"number": ("number", "integer"), "category": ("string",)}


def or_given(features: FeatureFunction, given: Collection[str]) -> FeatureFunction:
    """Returns ``features``, but a record that consists of the features is returned as it is.

    Args:
        features: The workload's feature code.
        given: Names of the features that a request may give; empty if it may not.
    """
    if not given:
        return features
    names = frozenset(given)
    return lambda record: record if record.keys() == names else features(record)


def request_feature_problems(
    given: Mapping[str, FieldSpec], kinds: Mapping[str, FeatureKind], request: Mapping[str, FieldSpec]
) -> Iterator[tuple[str, str]]:
    """Yields a name ("" for all) and a text for each mistake in ``request_features``.

    Args:
        given: The declared fields.
        kinds: Kind of each feature.
        request: The request record.
    """
    if not given:
        return
    if missing := [name for name in kinds if name not in given]:
        yield "", f"lacks {', '.join(missing)}: a request gives all features of features.py or none"
    for name, spec in given.items():
        if name not in kinds:
            yield name, "is not a feature of features.py"
        elif spec.type not in TYPES[kinds[name]]:
            yield name, f"must be of type {' or '.join(TYPES[kinds[name]])}: the feature is a {kinds[name]}"
        if name in request:
            yield name, "is also a field of the request record, so a request with it could mean either; rename one"
    if all(spec.nullable for spec in given.values()):
        yield "", "needs a field that is not nullable: an empty request would be one of all features"
