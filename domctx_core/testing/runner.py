"""Run the command in this process; record imports and calls of hooks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from domctx_core.cli import main
from domctx_core.host.plugin import Traced
from domctx_core.testing.dists import FakeDists

__all__ = ["CommandResult", "CommandRunner", "HookRecorder"]


class CommandResult:
    """The outcome of a run of `domctx`: its exit status and both streams as text."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def jsonl(self) -> list[Any]:
        """Standard output as lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


class CommandRunner:
    """Runs `domctx` in this process: `run("show", "--json", path)` returns a `CommandResult`.

    With `dists` it sees only those distributions.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str], dists: FakeDists | None = None) -> None:
        self._capsys = capsys
        self._dists = dists

    def __call__(self, *arguments: str | os.PathLike[str]) -> CommandResult:
        self._capsys.readouterr()
        path = None if self._dists is None else self._dists.path
        status = main([os.fspath(argument) for argument in arguments], path=path)
        captured = self._capsys.readouterr()
        return CommandResult(status, captured.out, captured.err)


class HookRecorder:
    """A `trace` for a host: keeps each import and each call of a hook::

        host = Host(trace=recorder)
        host.checks()
        assert recorder.hooks() == ["domctx_checks"]

    What a host knows without importing leaves no trace.
    """

    def __init__(self) -> None:
        self.traced: list[Traced] = []

    def __call__(self, traced: Traced) -> None:
        self.traced.append(traced)

    def hooks(self) -> list[str]:
        """Return the hooks that were called, in order."""
        return list(self._subjects("hook"))

    def imports(self) -> list[str]:
        """Return what was imported, as entry points name it, in order."""
        return list(self._subjects("import"))

    def _subjects(self, action: str) -> Iterator[str]:
        return (traced.subject for traced in self.traced if traced.action == action)
