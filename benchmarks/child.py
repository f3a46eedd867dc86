"""One contestant in a process of its own: `python -m benchmarks.child NAME ARGUMENTS`.

NAME is `module:function`, ARGUMENTS a JSON object. What is printed is one JSON object: the seconds
that the contestant's own clock says, what it counted, and the memory that it has of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["Run", "main", "own_memory"]


class Run:
    """What a contestant is given, and what it says.

    `path` is the input (`-`: standard input); `arguments` are the job's. The work goes into `timed`, what only prepares
    it or adds up totals afterwards does not.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self.path = str(arguments.get("path", ""))
        self.seconds = self.cpu = 0.0
        self.memory_before = 0
        self.memory_after = 0

    def data(self) -> bytes:
        """The input in memory."""
        return Path(self.path).read_bytes()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """The work."""
        self.memory_before = own_memory()
        begun, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu = time.process_time() - cpu
        self.seconds = time.perf_counter() - begun
        self.memory_after = own_memory()


def own_memory(process: int | str = "self") -> int:
    """Bytes of memory that belong to a process alone: not those of files, mapped or cached."""
    try:
        with open(f"/proc/{process}/status") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0


def main() -> int:
    """Run the contestant."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    module, _, function = name.partition(":")
    run = Run(arguments)
    totals = getattr(import_module(f"benchmarks.{module}"), function)(run)
    answer = {
        "seconds": run.seconds,
        "cpu": run.cpu,
        "memory_before": run.memory_before,
        "memory_after": run.memory_after,
        "totals": totals or {},
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
