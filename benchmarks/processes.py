"""Running contestants as processes: how long they take, what they print, what memory they need."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from benchmarks.child import own_memory

__all__ = ["Outcome", "environment", "pipeline"]

INTERVAL = 0.005
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True)
class Outcome:
    """What became of a pipeline.

    `seconds` is from the start of the first process to the end of the last; `output` is what the
    last one printed; `memory` the most that the member of interest had of its own.
    """

    seconds: float
    output: str
    memory: int


def environment() -> dict[str, str]:
    """The environment without what changes how Python runs: byte code is to be kept, say."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def pipeline(
    commands: Sequence[Sequence[str]], member: int = -1, path: Sequence[str] = ()
) -> Outcome:
    """Run processes one into the next; `member` is the one whose memory is of interest.

    `path` goes onto the search path of Python. `SystemExit` where one of them fails.
    """
    surroundings = environment()
    if path:
        surroundings["PYTHONPATH"] = os.pathsep.join(path)
    processes: list[subprocess.Popen[bytes]] = []
    begun = time.perf_counter()
    for command in commands:
        source: IO[bytes] | int | None = processes[-1].stdout if processes else subprocess.DEVNULL
        processes.append(
            subprocess.Popen(
                command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=surroundings,
            )
        )  # fmt: skip
        if isinstance(source, int) or source is None:
            continue
        source.close()
    watched = _Memory(processes[member].pid)
    output, said = processes[-1].communicate()
    seconds = time.perf_counter() - begun
    for process, command in zip(processes, commands, strict=True):
        text = said if process is processes[-1] else _rest(process)
        if process.wait():
            name = " ".join(command)[:200]
            raise SystemExit(f"{name} ended with {process.returncode}: {text.decode()[-2000:]}")
    return Outcome(seconds, output.decode(), watched.stop())


def _rest(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stderr is not None  # each is started with a pipe for it
    with process.stderr as stream:
        return stream.read()


class _Memory:
    """Looks at a process's memory until it is told to stop, or the process is gone."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            self._most = max(self._most, own_memory(self._process))

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most
