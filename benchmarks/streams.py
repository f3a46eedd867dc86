"""What it costs to verify a stream full of guest memory, and to stand between two ends of it.

    python benchmarks/streams.py [--size SIZE] [--repeat N] [--folder DIR] [--json]

Makes a libxc stream in a temporary folder: that of a captured PVH guest with 4 MiB PAGE_DATA
records (1024 pages each; 2 GiB unless --size says otherwise); the pages are holes of a sparse file, so that reading and not a
disk is measured. Then each contestant runs in turn, `--repeat` times over, in a process of its
own, and the medians are compared:

* file: `domctx verify FILE`, against a reader in the style of Xen's verifier;
* pipe: `cat FILE | domctx verify -`, against the same reader behind the same `cat`;
* tee: `cat FILE | domctx verify --tee - | sha256sum`, against `cat FILE | cat | sha256sum`.

The reader is this file's `straightforward`: it reads every body into memory, and unpacks and
judges each PFN. It must count the bytes and pages that were made, domctx must find nothing wrong,
and all checksums must be equal; else the run ends. Peak memory is the largest resident set of the
contestant's process. Nothing is installed; the folder is removed.
"""

import argparse
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAPTURE = (
    Path(__file__).parent.parent / "plugins/domctx-plugin-xen-streams/tests/data/pvh1.save.no-pages"
)
STATIC_DATA_END = 16
PAGES = 1024
PAGE = 4096
LIMITS = {"file": 1.0, "pipe": 2.0, "tee": 2.0}
"""The most that domctx may take, as a multiple of what it is compared with."""


def write_stream(path: Path, size: int) -> tuple[int, int]:
    """The captured guest's stream with about `size` bytes of memory; its exact size and pages."""
    count = max(1, size // (PAGES * PAGE))
    head, tail = captured()
    with path.open("wb") as file:
        file.write(head)
        for number in range(count):
            first = number * PAGES
            pfns = struct.pack(f"<{PAGES}Q", *range(first, first + PAGES))
            file.write(struct.pack("<IIII", 1, 8 + len(pfns) + PAGES * PAGE, PAGES, 0) + pfns)
            file.seek(PAGES * PAGE, os.SEEK_CUR)
        file.write(tail)
        return file.tell(), count * PAGES


def captured() -> tuple[bytes, bytes]:
    """What stands before and after the guest memory in the libxc stream of the capture."""
    raw = CAPTURE.read_bytes()
    start = raw.index(b"\xff" * 8 + b"XENF")
    at, middle = start + 40, 0
    while True:
        type, length = struct.unpack_from("<II", raw, at)
        at += 8 + length + -length % 8
        if type == STATIC_DATA_END:
            middle = at
        elif type == 0:
            return raw[start:middle], raw[middle:at]


def straightforward(path: str) -> tuple[int, int]:
    """Read a stream as one would at first: body after body, PFN after PFN; bytes and pages."""
    total = pages = 0
    with sys.stdin.buffer if path == "-" else open(path, "rb") as file:

        def exact(size: int) -> bytes:
            nonlocal total
            data = file.read(size)
            if len(data) != size:
                raise SystemExit(f"the stream ends at {total + len(data)}")
            total += size
            return data

        marker, ident, version, _ = struct.unpack(">QIIH6x", exact(24))
        if (marker, ident, version) != (2**64 - 1, 0x58454E46, 3):
            raise SystemExit("no stream")
        exact(16)
        while True:
            type, length = struct.unpack("<II", exact(8))
            body = exact(length)
            if any(exact(-length % 8)):
                raise SystemExit("padding")
            if type == 1:
                pages += _page_data(body)
            elif type == 0:
                return total, pages


def _page_data(body: bytes) -> int:
    count, reserved = struct.unpack_from("<II", body)
    if reserved or not count:
        raise SystemExit("PAGE_DATA")
    pages = 0
    for entry in struct.unpack_from(f"<{count}Q", body, 8):
        if entry & 0x0FF0_0000_0000_0000:
            raise SystemExit("reserved bits")
        kind = entry >> 60
        if 5 <= kind <= 8:
            raise SystemExit("page type")
        if kind < 13:
            pages += 1
    if len(body) != 8 + 8 * count + PAGE * pages:
        raise SystemExit("length")
    return pages


class Run:
    """One pipeline, timed: seconds, what its last process printed, peak memory of `member`."""

    def __init__(self, commands: list[list[str]], member: int) -> None:
        processes: list[subprocess.Popen[bytes]] = []
        before = time.perf_counter()
        for command in commands:
            source = processes[-1].stdout if processes else subprocess.DEVNULL
            processes.append(
                subprocess.Popen(
                    command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            )
            if processes[:-1]:
                assert processes[-2].stdout is not None
                processes[-2].stdout.close()
        assert processes[-1].stdout is not None
        self.output = processes[-1].stdout.read().decode()
        self.peak = 0
        for number, process in enumerate(processes):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{commands[number]} ended with {process.returncode}")
            if number == member % len(processes):
                self.peak = usage.ru_maxrss * 1024
        self.seconds = time.perf_counter() - before


def contestants(path: str) -> dict[str, tuple[tuple[list[list[str]], int], ...]]:
    """For each comparison the pipeline with domctx and the one that it is compared with."""
    domctx = [sys.executable, "-m", "domctx_core", "verify"]
    reader = [sys.executable, str(Path(__file__).resolve()), "--read"]
    cat = ["cat", path]
    return {
        "file": (([[*domctx, path]], 0), ([[*reader, path]], 0)),
        "pipe": (([cat, [*domctx, "-"]], 1), ([cat, [*reader, "-"]], 1)),
        "tee": (([cat, [*domctx, "--tee", "-"], ["sha256sum"]], 1), ([cat, ["cat"], ["sha256sum"]], 1)),
    }  # fmt: skip


def compare(path: Path, size: int, pages: int, repeat: int) -> list[dict[str, object]]:
    """Run all contestants; one row for each comparison."""
    rows = []
    for name, pair in contestants(str(path)).items():
        times: tuple[list[float], list[float]] = ([], [])
        peaks, outputs = [0, 0], ["", ""]
        for _ in range(repeat):
            for which, (commands, member) in enumerate(pair):
                run = Run(commands, member)
                times[which].append(run.seconds)
                peaks[which] = max(peaks[which], run.peak)
                outputs[which] = run.output
        if name == "tee" and outputs[0] != outputs[1]:
            raise SystemExit("the checksums differ")
        if name != "tee" and outputs[1].split() != [str(size), str(pages)]:
            raise SystemExit(f"the reader counts {outputs[1]}, and {size} {pages} were made")
        ours, theirs = map(statistics.median, times)
        rows.append(
            {
                "comparison": name,
                "domctx_seconds": round(ours, 3),
                "other_seconds": round(theirs, 3),
                "ratio": round(ours / theirs, 3),
                "limit": LIMITS[name],
                "domctx_mib_per_second": round(size / ours / 2**20),
                "domctx_peak_mib": round(peaks[0] / 2**20, 1),
                "other_peak_mib": round(peaks[1] / 2**20, 1),
            }
        )
    return rows


def parse_size(text: str) -> int:
    """A number of bytes, or of K, M or G."""
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1].upper(), 1)
    return int(text[:-1] if factor > 1 else text) * factor


def main() -> int:
    """Make the stream, compare, print; status 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=parse_size, default=2 << 30)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder", help="where the temporary folder goes")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(*straightforward(options.read))
        return 0
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        path = folder / "stream"
        size, pages = write_stream(path, options.size)
        rows = compare(path, size, pages, options.repeat)
    finally:
        shutil.rmtree(folder)
    if options.json:
        print(json.dumps({"bytes": size, "pages": pages, "comparisons": rows}, indent=2))
    else:
        print(f"{size} bytes, {pages} pages, medians of {options.repeat}")
        for row in rows:
            print("  ".join(f"{key} {value}" for key, value in row.items()))
    missed = [r for r in rows if float(str(r["ratio"])) > float(str(r["limit"]))]
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
