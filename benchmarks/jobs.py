"""What is measured: jobs, their contestants, and what domctx is to reach in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["AIMS", "JOBS", "Aim", "Contestant", "Job", "Sizes"]


@dataclass(frozen=True)
class Sizes:
    """How much there is to do: `FULL` is what the figures of the page are made with."""

    records: int
    ports: int
    large: int
    stream: int
    growth: tuple[int, ...]
    dists: int
    bodies: int
    rounds: int
    starts: int


FULL = Sizes(
    1_000_000, 131_072, 1 << 30, 2 << 30, (1_000, 10_000, 100_000, 1_000_000, 10_000_000), 500,
    20_000, 5, 25,
)  # fmt: skip
QUICK = Sizes(2_000, 500, 4 << 20, 4 << 20, (1_000, 10_000), 20, 50, 1, 1)


@dataclass(frozen=True)
class Contestant:
    """One way to do a job.

    `run` is `module:function` of a Python contestant, `floor:MODE` of the C program, or the name
    of a pipeline that `harness` knows. `piped`: the input comes through a pipe. `part`: it is given
    an input with one in so many records, because it is slow; what counts is the time of a record.
    `needs` is the distribution without which it is left out.
    """

    key: str
    title: str
    run: str
    piped: bool = False
    part: int = 1
    needs: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One thing to be done, by several contestants in turn.

    `input` is the kind of input; `base` the contestant that the others are compared with. `each`
    says what the records of the input's totals are, by which the time is divided: `record`, `PFN`, or
    nothing. `clock` is `cpu` (the processor's time, for
    what happens in memory) or `wall`.
    """

    key: str
    title: str
    input: str
    contestants: Sequence[Contestant]
    base: str = "c"
    each: str = "record"
    clock: str = "cpu"


@dataclass(frozen=True)
class Aim:
    """What a figure is to be: a ratio to another contestant, or a number of its own.

    `of` and `to` are (job, contestant); `most` or `least` the limit of the ratio of their times.
    Without `to` the figure is one that `harness` names: `memory` in MiB, or `growth`, of inputs of
    `since` records or more. `why` is what the page says where the aim is missed.
    """

    what: str
    of: tuple[str, str]
    to: tuple[str, str] | None
    limit: float
    least: bool = False
    figure: str = "time"
    since: int = 0
    why: str = ""


def _readers(large: bool = False) -> list[Contestant]:
    """Those that domctx is compared with on every image, besides C."""
    suffix = {"large": True} if large else {}
    slow = 1 if large else 20
    return [
        Contestant("struct", "struct, one loop", f"by_hand:{'large_loop' if large else 'loop'}"),
        Contestant(
            "xen", "in the style of Xen's verifier",
            f"by_hand:{'xen_style_large' if large else 'xen_style'}", part=1 if large else 4,
        ),
        Contestant(
            "kaitai", "Kaitai Struct", "libraries:kaitai", part=slow, needs="kaitaistruct",
            arguments=suffix,
        ),
        Contestant(
            "cstruct", "dissect.cstruct", "libraries:cstruct", part=slow, needs="dissect.cstruct",
            arguments=suffix,
        ),
        Contestant(
            "construct-compiled", "construct, compiled", "libraries:construct_compiled",
            part=slow, needs="construct", arguments=suffix,
        ),
        Contestant(
            "construct", "construct", "libraries:construct", part=1 if large else 50,
            needs="construct", arguments=suffix,
        ),
    ]  # fmt: skip


def _verify(key: str, title: str, input: str) -> Job:
    return Job(key, title, input, [
        Contestant("c", "C", "floor:load"),
        Contestant("domctx", "domctx verify", "ours:verify_memory"),
        *_readers(),
    ])  # fmt: skip


def _body(way: str, body: str) -> Job:
    libraries = (
        ("struct", "struct", ""),
        ("ctypes", "ctypes", ""),
        ("domctx", "domctx Body", ""),
        ("dataclasses-struct", "dataclasses-struct", "dataclasses-struct"),
        ("cstruct", "dissect.cstruct", "dissect.cstruct"),
        ("construct-compiled", "construct, compiled", "construct"),
        ("construct", "construct", "construct"),
    )
    return Job(
        f"body-{way}-{body.lower()}", f"One body, {way}d: {body}", "", [
            Contestant(
                key, title, "bodies:one", needs=needs,
                arguments={"library": key, "body": body, "way": way},
            )
            for key, title, needs in libraries
        ], base="struct",
    )  # fmt: skip


JOBS: tuple[Job, ...] = (
    _verify("uniform", "Verify: records of one type", "uniform"),
    _verify("interleaved", "Verify: records of four types in turn", "interleaved"),
    _verify("channels", "Verify: 131,072 event channels", "channels"),
    Job("load", "Load: records of one type", "uniform", [
        Contestant("c", "C", "floor:load"),
        Contestant("columns", "domctx, the domain keeps columns", "ours:load_columns"),
        Contestant("objects", "domctx, the domain keeps objects", "ours:load_objects"),
        Contestant(
            "one-by-one", "domctx, a handler for one record", "ours:load_one_by_one"
        ),
    ]),
    Job("save", "Save: records of one type", "uniform", [
        Contestant("c", "C", "floor:save"),
        Contestant("batch", "domctx, the domain keeps columns", "ours:save_batch"),
        Contestant("struct", "struct, one loop", "by_hand:save_loop"),
        Contestant(
            "one-by-one", "domctx, a handler for one record", "ours:save_one_by_one"
        ),
    ]),
    Job("large-file", "Large records from a file: verify", "large", [
        Contestant("c", "C", "floor:large"),
        Contestant("domctx", "domctx verify", "ours:verify_file"),
        *_readers(large=True),
    ], each="", clock="wall"),
    Job("large-pipe", "Large records from a pipe: verify", "large", [
        Contestant("bare", "a reader that looks at nothing", "by_hand:bare_reader", piped=True),
        Contestant("c", "C", "floor:large", piped=True),
        Contestant("domctx", "domctx verify", "ours:verify_file", piped=True),
        Contestant("struct", "struct, one loop", "by_hand:large_loop", piped=True),
        Contestant(
            "xen", "in the style of Xen's verifier", "by_hand:xen_style_large", piped=True
        ),
    ], base="bare", each="", clock="wall"),
    Job("stream-file", "libxc stream from a file: verify", "stream", [
        Contestant("xen", "in the style of Xen's verifier", "by_hand:stream_reader"),
        Contestant("domctx", "domctx verify", "ours:verify_stream"),
    ], base="xen", each="", clock="wall"),
    Job("stream-pipe", "libxc stream from a pipe: verify", "stream", [
        Contestant("xen", "in the style of Xen's verifier", "by_hand:stream_reader", piped=True),
        Contestant("domctx", "domctx verify", "ours:verify_stream", piped=True),
    ], base="xen", each="", clock="wall"),
    Job("stream-tee", "libxc stream passed on to sha256sum", "stream", [
        Contestant("cat", "cat", "tee:cat"),
        Contestant("domctx", "domctx verify --tee", "tee:domctx"),
    ], base="cat", each="", clock="wall"),
    Job("pages", "PAGE_DATA in a libxc stream: verify", "stream", [
        Contestant("xen", "in the style of Xen's verifier", "by_hand:stream_reader"),
        Contestant("domctx", "domctx verify, not the first of the process", "ours:verify_pages"),
    ], base="xen", each="PFN"),
    Job("decode", "Decode 131,072 event channels to JSON", "channels", [
        Contestant("json", "json.dumps of the same data", "ours:dumps"),
        Contestant("domctx", "domctx decode", "ours:decode"),
        Contestant("lines", "domctx decode, a line for each record", "ours:decode_in_lines"),
    ], base="json"),
    Job("encode", "Encode 131,072 event channels from JSON", "channels", [
        Contestant("json", "json.loads of the same data", "ours:loads"),
        Contestant("domctx", "domctx encode", "ours:encode"),
        Contestant("lines", "domctx encode, of those lines", "ours:encode_of_lines"),
    ], base="json"),
    Job("diff", "Diff of 131,072 event channels", "channels", [
        Contestant("equal", "domctx diff, nothing differs", "ours:diff_equal"),
        Contestant("changed", "domctx diff, one in a hundred differs", "ours:diff_changed"),
    ], base="equal"),
    Job("start", "Start-up", "small", [
        Contestant("pass", "python -c pass", "start:pass"),
        Contestant("version", "domctx --version", "start:--version"),
        Contestant("help", "domctx --help", "start:--help"),
        Contestant("completion", "completion of a verb in the shell", "start:completion"),
        Contestant("show", "domctx show of a small image", "start:show"),
        Contestant("show-many", "the same, 500 other distributions installed", "start:show-many"),
    ], base="pass", each="", clock="wall"),
    *(_body(way, body) for body in ("TSC", "EVENT") for way in ("decode", "encode")),
)  # fmt: skip

_ONE_BY_ONE = (
    "each record is an object with checked fields, of which one is an enumeration, and takes calls of"
    " the handler, the context and the domain; who needs it faster leaves `load` and `save` as they"
    " are, or overrides their batch forms"
)
_START = "importing click and importlib-metadata and finding the entry points takes 5.5 x by itself"

_NOISE = (
    "0.1 ms an image are a fifth of what 10,000 records take, and the rest is the machine's, which is"
    " not equally fast from one second to the next"
)
AIMS: tuple[Aim, ...] = (
    Aim("verify, uniform", ("uniform", "domctx"), ("uniform", "c"), 6),
    Aim("verify, interleaved", ("interleaved", "domctx"), ("interleaved", "c"), 6),
    Aim("load, a domain that keeps columns", ("load", "columns"), ("load", "c"), 8),
    Aim("load, a domain that keeps objects", ("load", "objects"), ("load", "c"), 40),
    Aim("load, a handler for one record", ("load", "one-by-one"), ("load", "c"), 25, why=_ONE_BY_ONE),
    Aim("the same, in ns a record", ("load", "one-by-one"), None, 300, figure="ns", why=_ONE_BY_ONE),
    Aim("save, batch", ("save", "batch"), ("save", "c"), 4),
    Aim("save, one call a record", ("save", "one-by-one"), ("save", "c"), 25, why=_ONE_BY_ONE),
    Aim("large records, file", ("large-file", "domctx"), ("large-file", "c"), 0.5),
    Aim("large records, pipe", ("large-pipe", "domctx"), ("large-pipe", "bare"), 2),
    Aim("memory of the former, in MiB", ("large-file", "domctx"), None, 64, figure="memory"),
    Aim("memory of the latter, in MiB", ("large-pipe", "domctx"), None, 64, figure="memory"),
    *(
        Aim(f"{title}, {image}", (job, "domctx"), (job, key), least, least=True)
        for key, title, least in (
            ("xen", "faster than Xen's verifier", 3),
            ("kaitai", "faster than Kaitai Struct", 10),
            ("cstruct", "faster than dissect.cstruct", 10),
            ("construct", "faster than construct", 25),
        )
        for job, image in (
            ("uniform", "uniform"), ("interleaved", "interleaved"),
            ("channels", "event channels"), ("large-file", "large records"),
        )
    ),
    Aim("libxc stream, file", ("stream-file", "domctx"), ("stream-file", "xen"), 1),
    Aim("libxc stream, pipe", ("stream-pipe", "domctx"), ("stream-pipe", "xen"), 2),
    Aim("libxc stream, tee", ("stream-tee", "domctx"), ("stream-tee", "cat"), 2),
    Aim(
        "libxc stream, in ns a PFN", ("pages", "domctx"), None, 15, figure="ns",
        why="a PFN costs 2 ns, and a record of PAGE_DATA some 6 µs whatever it lists, which is most"
        " of the time where a record lists 1,024 of them",
    ),
    Aim("decode to JSON", ("decode", "domctx"), ("decode", "json"), 3),
    Aim("encode from JSON", ("encode", "domctx"), ("encode", "json"), 3),
    Aim(
        "growth of verify, time a record", ("growth", "ascending"), None, 1.3, figure="growth",
        why="to open a file, to see what it is, to judge START and END and to begin a run takes some"
        " 0.1 ms, however large the image is: as much as 2,000 records. Ten microseconds of that are the"
        " system's, to open a file; an image of 1,000 records would have 16 for everything",
    ),
    Aim(
        "the same, from 10,000 records on", ("growth", "ascending"), None, 1.3, figure="growth",
        since=10_000, why=_NOISE,
    ),
    Aim("growth of verify, memory in MiB", ("growth", "ascending"), None, 64, figure="most"),
    Aim(
        "the same, instances in no order: MiB beyond 8 bytes a record", ("growth", "scattered"),
        None, 64, figure="most",
    ),
    Aim("domctx --version", ("start", "version"), ("start", "pass"), 2),
    Aim("domctx show of a small image", ("start", "show"), ("start", "pass"), 7, why=_START),
    Aim("the same, 500 distributions", ("start", "show-many"), ("start", "pass"), 9, why=_START),
)  # fmt: skip
