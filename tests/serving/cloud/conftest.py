"""Fixtures of a service on the local cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ecs_services import described
from tests.support.texts_service import NAME, TextsService, running_texts


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextsService]:
    """Two tasks of version 1; version 2 and the broken versions "unreadable" and "altered" are published."""
    with running_texts(tmp_path_factory.mktemp("texts-cloud")) as service:
        yield service


@pytest.fixture
def version_1(texts: TextsService) -> TextsService:
    """The service with two healthy tasks of version 1, in whatever state the previous test left it."""
    texts.settle()
    if described(texts.ecs, NAME)["taskDefinition"] != texts.definitions["1"]:
        assert texts.deploy("1")["status"] == "SUCCESSFUL"
    return texts
