"""Requirements of bodies: round trips through bytes and JSON, problems instead of exceptions.

Each function checks one requirement and raises `Nonconformity` if it is not met.
"""

from __future__ import annotations

import json
import random

from domctx_core.authoring.subject import Subject
from domctx_core.base.errors import PLUGIN_ERRORS, describe
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.layout.kinds.binary import Reserved

__all__ = [
    "bytes_round_trip",
    "examples_exist",
    "json_round_trip",
    "long_bodies",
    "random_bodies",
    "reserved_fields",
    "short_bodies",
]

__tracebackhide__ = True  # the message is complete: pytest need not show the code


def examples_exist(subject: Subject) -> None:
    """Require at least one valid example of each body, which the other checks need."""
    valid = {type(body) for body in subject.examples()}
    for body in subject.bodies:
        if body not in valid:
            raise subject.fail(
                f"there is no valid example of {body.__name__}: override `simulate` to return one"
            )


def bytes_round_trip(subject: Subject) -> None:
    """Require the same body after writing and reading it, in both byte orders, and its size."""
    for body in subject.examples():
        for order in ORDERS:
            raw = subject.to_bytes(body, order)
            if subject.from_bytes(type(body), raw, order) != body:
                raise subject.fail(f"{body!r} changes when written {order}-endian and read again")
            if len(raw) != body.size():
                raise subject.fail(
                    f"size() returns {body.size()}, but {len(raw)} bytes are written"
                )


def json_round_trip(subject: Subject) -> None:
    """Require the same body and bytes after writing and reading JSON text."""
    for body in subject.examples():
        text = json.dumps(body.to_json(), allow_nan=False)
        again = type(body).from_json(json.loads(text))
        if again != body or subject.to_bytes(again) != subject.to_bytes(body):
            raise subject.fail(f"{body!r} changes when written as JSON and read again: {text:.200}")


def _survives(subject: Subject, body: type[Body], raw: bytes) -> None:
    for order in ORDERS:
        try:
            decoded = body.inspect(raw, order)
        except PLUGIN_ERRORS as error:
            raise subject.fail(
                f"inspecting {len(raw)} bytes ({raw[:16].hex()}...) raises {describe(error)}"
            ) from error
        for problem in decoded.problems:
            if problem.offset is not None and not 0 <= problem.offset <= len(raw):
                raise subject.fail(f"the offset {problem.offset} of a problem is outside the body")
        if decoded.body is None and not decoded.problems:
            raise subject.fail("a body that cannot be decoded reports no problem")


def short_bodies(subject: Subject) -> None:
    """Require problems with offsets, and no other error, for a body cut anywhere."""
    for body in subject.examples():
        raw = subject.to_bytes(body)
        step = max(1, len(raw) // 64)
        for size in (*range(0, len(raw), step), max(0, len(raw) - 1)):
            _survives(subject, type(body), raw[:size])
            cut = size < len(raw) == type(body).fixed_size()
            if cut and not type(body).inspect(raw[:size]).problems:
                raise subject.fail(f"a body of {size} instead of {len(raw)} bytes is accepted")


def long_bodies(subject: Subject) -> None:
    """Require problems for bytes after the end of a body."""
    for body in subject.examples():
        raw = subject.to_bytes(body)
        for extra in (b"\0", b"\xff" * 7, bytes(64)):
            _survives(subject, type(body), raw + extra)
        fixed = type(body).fixed_size() is not None
        if fixed and not type(body).inspect(raw + b"\0").problems:
            raise subject.fail("a byte after the end of a fixed body is accepted")


def random_bodies(subject: Subject) -> None:
    """Require problems, and no other error, for random bytes."""
    rng = random.Random(2)
    for body in subject.bodies:
        sizes = [0, 1, 7, 8, 16, 20, 24, 32, 64, 255, 4096, body.fixed_size() or 100]
        for size in sizes * 4:
            _survives(subject, body, rng.randbytes(size))
            _survives(subject, body, bytes(size))


def reserved_fields(subject: Subject) -> None:
    """Require a problem at the offset of reserved bytes that are not zero."""
    for body in subject.examples():
        offset = 0
        raw = subject.to_bytes(body)
        for field in type(body).__layout__.fields:
            size = field.kind.size
            if size is None:
                size = field.kind.size_of(getattr(body, field.name))
            if isinstance(field.kind, Reserved) and size:
                bad = raw[:offset] + b"\1" + raw[offset + 1 :]
                problems = type(body).inspect(bad).problems
                if not any(p.rule == "reserved-not-zero" and p.offset == offset for p in problems):
                    raise subject.fail(f"reserved `{field.name}` at {offset} is not checked")
            offset += size
