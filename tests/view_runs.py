"""Images and terminals for the tests of views, of the pager and of progress."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from domctx_core.testing import ImageBuilder

TSC = struct.pack("<IIQI", 1, 2596126, 11_607_329_277, 7)


def make_channels_image(tmp_path: Path) -> Path:
    """START, TSC_INFO, 40 EVENT_CHANNELs, two of an unknown type, END."""
    builder = ImageBuilder().start(4, 17).record(3, 0, TSC)
    for port in (*range(1, 31), *range(50, 60)):
        builder.record(5, port, struct.pack("<IIIBB2x16x", 5, 0, 0, 7, 0))
    builder.record(0x80000001, 7, b"some bytes").record(0x80000001, 9, b"")
    path = tmp_path / "a.img"
    path.write_bytes(builder.end().build())
    return path


def shown(text: str, name: str) -> list[str]:
    """What is shown, less the input's name and the bytes that only a file can be asked for again."""
    lines = text.replace(name, "-").splitlines()
    return [line for line in lines if " | " not in line and not line.endswith(" |")]


class Terminal:
    """Runs the command with a terminal of 20 lines as its output, and as its errors if wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "pager.log"
        self.pager = self.script("pager", f'cat >> "{self.log}"; echo "LESS=$LESS" >> "{self.log}"')

    def script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def paged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def run(
        self, *arguments: object, out: bool = True, feed: Callable[[int], None] | None = None,
        code: str = "from domctx_core.cli import main; sys.exit(main(sys.argv[1:]))",
        **environment: str,
    ) -> tuple[int, str, str]:  # fmt: skip
        """The status, what the terminal got, and what went to the pipe in the other's place.

        With `out` standard output is the terminal, else standard error.
        """
        ours, theirs = pty.openpty()
        feeding, fed = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-c", f"import sys; {code}", *map(str, arguments)],
            stdin=feeding,
            stdout=theirs if out else subprocess.PIPE,
            stderr=subprocess.PIPE if out else theirs,
            env={
                "PATH": os.environ["PATH"], "LINES": "20", "COLUMNS": "80", "TERM": "xterm",
                "NO_COLOR": "1", "LANG": "C.UTF-8", **environment,
            },
        )  # fmt: skip
        os.close(theirs)
        os.close(feeding)
        if feed is not None:
            feed(fed)
        os.close(fed)
        shown = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 30)
            try:
                chunk = os.read(ours, 65536) if ready else b""
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        os.close(ours)
        other = process.stderr if out else process.stdout
        assert other is not None
        with other:
            rest = other.read()
        return process.wait(30), shown.decode().replace("\r\n", "\n"), rest.decode()
