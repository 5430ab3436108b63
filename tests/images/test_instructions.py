from __future__ import annotations

import pytest

from tests.support.dockerfile.instructions import DockerfileError, expand, pairs, parse

TEXT = """
# a comment
ARG BASE=python:3.12
FROM ${BASE} AS first
RUN --mount=type=cache,target=/cache one \\
    # a comment between
    && two
FROM first
COPY --from=first /a /b/
CMD ["python", "-m", "x"]
"""


def test_stages_have_names_and_instructions_have_flags() -> None:
    parsed = parse(TEXT)
    first, second = parsed.stages
    assert (parsed.arguments, first.name, first.image) == ({"BASE": "python:3.12"}, "first", "${BASE}")
    (run,) = first.instructions
    assert (run.arguments, run.line) == ("one && two", 5)
    assert run.flag("mount") == "type=cache,target=/cache" and run.flag("from") is None
    copy, command = second.instructions
    assert second.name == "1" and copy.flag("from") == "first" and copy.words() == ["/a", "/b/"]
    assert command.words() == ["python", "-m", "x"]


def test_variables_that_are_not_set_become_nothing() -> None:
    assert expand("$A-${B}/$C", {"A": "1", "B": "2"}) == "1-2/"
    assert pairs('A=1 B="two words" C') == {"A": "1", "B": "two words", "C": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM a\nADD b /c", r"Line 2: this runner does not know ADD"),
        ("RUN b\nFROM a", r"Line 1: RUN comes before the first FROM"),
        ("# nothing", r"has no FROM"),
    ],
)
def test_what_is_unknown_or_misplaced_is_refused(text: str, message: str) -> None:
    with pytest.raises(DockerfileError, match=message):
        parse(text)
