"""The pytest plugin (group `pytest11`): fixtures for tests of domctx plugins.

Every pytest run in the environment imports this module, so it and its package import nothing but
pytest until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from domctx_core.host.host import Host
    from domctx_core.testing.dists import FakeDists
    from domctx_core.testing.images import ImageBuilder
    from domctx_core.testing.runner import CommandRunner, HookRecorder


@pytest.fixture
def domctx_dists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDists]:
    """Provide a folder of made-up distributions on the path; only the core at first."""
    from domctx_core.testing.dists import FakeDists

    dists = FakeDists(tmp_path / "dists", monkeypatch)
    yield dists
    dists.forget()


@pytest.fixture
def domctx_host(domctx_dists: FakeDists) -> Host:
    """Provide a new host that sees only the core and what `domctx_dists` has so far."""
    return domctx_dists.host()


@pytest.fixture
def domctx_image() -> ImageBuilder:
    """Provide a builder of a little-endian image."""
    from domctx_core.testing.images import ImageBuilder

    return ImageBuilder()


@pytest.fixture
def domctx_cli(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> CommandRunner:
    """Run `domctx` in this process; in a test that uses `domctx_dists` it sees only those."""
    from domctx_core.testing.runner import CommandRunner

    fake = "domctx_dists" in request.fixturenames
    return CommandRunner(capsys, request.getfixturevalue("domctx_dists") if fake else None)


@pytest.fixture
def domctx_hooks() -> HookRecorder:
    """Record what a host imports and which hooks it calls."""
    from domctx_core.testing.runner import HookRecorder

    return HookRecorder()
