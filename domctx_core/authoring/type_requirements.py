"""Requirements of a record type itself: documentation, dependences, trusted values, heads, type code.

Each function checks one requirement and raises `Nonconformity` if it is not met.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domctx_core.authoring.subject import EXAMPLES, Subject
from domctx_core.authoring.type_codes import code_fault
from domctx_core.base.errors import PLUGIN_ERRORS, describe
from domctx_core.base.problems import Problem
from domctx_core.layout.body import Body
from domctx_core.layout.codegen.regex import body_pattern
from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.kinds.aggregates import Nested
from domctx_core.layout.kinds.base import ORDERS, ByteOrder, leaves
from domctx_core.layout.kinds.binary import Reserved
from domctx_core.model.attributes import FIRST
from domctx_core.model.record_type import RecordType, body_class
from domctx_core.model.validation import copy_name
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["dependence", "documentation", "heads", "trusted_values", "type_code"]

__tracebackhide__ = True  # the message is complete: pytest need not show the code


def documentation(subject: Subject) -> None:
    """Require documentation of the record type, its bodies and every field."""
    faults = []
    if not (type(subject.record_type).__doc__ or "").strip() or (
        type(subject.record_type).__doc__ == RecordType.__doc__
    ):
        faults.append("the record type has no docstring")
    bodies = set(subject.bodies) | {
        kind.body
        for body in subject.bodies
        for field in body.__layout__.fields
        for kind in leaves(field.kind)
        if isinstance(kind, Nested)
    }
    for body in sorted(bodies, key=lambda cls: cls.__name__):
        if not (body.__doc__ or "").strip() or body.__doc__ == Body.__doc__:
            faults.append(f"{body.__name__} has no docstring")
        for field in body.__layout__.fields:
            if not field.doc and not isinstance(field.kind, Reserved):
                faults.append(f"{body.__name__}.{field.name} has no doc")
    if faults:
        raise subject.fail("; ".join(faults))


def dependence(subject: Subject) -> None:
    """Require that `depends` names remembered types, whose bodies choose among the declared ones."""
    record_type = subject.record_type
    rng = random.Random(3)
    chosen = {_chosen(subject, {})}
    for code in record_type.depends:
        entry = subject.registry.get(code)
        if entry is None:
            raise subject.fail(f"`depends` names type code {code}, which is not registered")
        if not entry.record_type.remembered:
            raise subject.fail(f"`depends` names {entry.name}, which is not `remembered`")
        for _ in range(EXAMPLES):
            chosen.add(_chosen(subject, {code: entry.record_type.body.example(rng)}))
    if len(record_type.depends) == 1:  # of several, chance need not find the right ones together
        for body in set(subject.bodies) - chosen:
            raise subject.fail(
                f"no example of the record that it depends on selects {body.__name__}"
            )


def _chosen(subject: Subject, earlier: Mapping[int, Body]) -> type[Body]:
    try:
        return body_class(subject.record_type, earlier)
    except PLUGIN_ERRORS as error:
        raise subject.fail(f"`body_for` raises {describe(error)}") from error


def trusted_values(subject: Subject) -> None:
    """Require that `check` and `judge` report nothing of trusted values and instances."""
    rng = random.Random(4)
    record_type = subject.record_type
    for kind in subject.bodies:
        for order in ORDERS:
            try:
                match = re.compile(body_pattern(kind, order), re.DOTALL).fullmatch
            except NotApplicable:
                break
            for _ in range(4 * EXAMPLES):
                example = kind.example(rng)
                _set_trusted(example, rng)
                raw = bytearray(example.to_bytes(order, check=False))
                for _ in range(rng.randrange(3) if raw else 0):
                    raw[rng.randrange(len(raw))] = rng.choice([0, 1, 2, rng.randrange(256)])
                if not match(raw):
                    continue
                body, problems, _ = kind.inspect(raw, order)
                reported = [*problems, *(() if body is None else _own_problems(body))]
                for instance in _some(record_type.trusted_values, rng) if body is not None else ():
                    reported += record_type.judge(instance, body, None)
                if reported:
                    raise subject.fail(f"{body!r} has trusted values, but: {reported[0].message}")


def _own_problems(body: Body) -> Iterator[Problem]:
    """Yield what `check` reports of a body and of its inner bodies."""
    # `inspect` does not call `check` for trusted values once the code of a layout is generated
    yield from body.check()
    for inner in _inner(body):
        yield from _own_problems(inner)


def _inner(body: Body) -> Iterator[Body]:
    """Yield the bodies that the fields of a body hold."""
    for name in type(body).__layout__.stored:
        value = getattr(body, name)
        for inner in value if isinstance(value, list) else (value,):
            if isinstance(inner, Body):
                yield inner


def _set_trusted(body: Any, rng: random.Random) -> None:
    """Set the fields that have trusted values to such, also in inner bodies."""
    for name, values in (type(body).__trusted_values__ or {}).items():
        setattr(body, name, rng.choice(values if isinstance(values, Sequence) else [*values]))
    for inner in _inner(body):
        _set_trusted(inner, rng)


def _some(numbers: range | None, rng: random.Random) -> list[int]:
    return [numbers[0], numbers[-1], rng.choice(numbers)] if numbers else []


def heads(subject: Subject) -> None:
    """Require that `prefix` of a bulk type finds the whole head, and `measure` agrees with `extent`."""
    record_type = subject.record_type
    if not record_type.bulk:
        return
    rng = random.Random(5)
    for body in subject.examples():
        for order in ORDERS:
            raw = bytearray(subject.to_bytes(body, order))
            size = _ask(subject, "prefix", bytes(raw[:FIRST]), order)
            if not size:
                continue
            if size != len(raw):
                raise subject.fail(f"`prefix` returns {size} for a head of {len(raw)} bytes")
            for _ in range(EXAMPLES):
                measured = _ask(subject, "measure", bytearray(raw), order)
                if measured is not None:
                    _check_head(subject, type(body), raw, order, measured)
                again = bytearray(raw)
                again[rng.randrange(size)] ^= 1 << rng.randrange(8)
                if _ask(subject, "prefix", bytes(again[:FIRST]), order) == size:
                    raw = again


def _ask(subject: Subject, method: str, *given: Any) -> Any:
    """Call a method of the record type that looks at bytes."""
    try:
        return getattr(subject.record_type, method)(*given)
    except PLUGIN_ERRORS as error:
        raise subject.fail(f"`{method}` raises {describe(error)}") from error


def _check_head(
    subject: Subject, body: type[Body], raw: bytearray, order: ByteOrder, measured: int
) -> None:
    """Fail if a head that `measure` accepts breaks a rule, or has another extent."""
    decoded, problems, _ = body.inspect(bytes(raw), order)
    if decoded is None or problems:
        why = problems[0].message if problems else "it cannot be decoded"
        raise subject.fail(f"`measure` returns {measured} for a head that breaks a rule: {why}")
    extent = subject.record_type.extent(decoded)
    if extent != measured:
        raise subject.fail(
            f"`measure` returns {measured}, but `extent` {extent}, for the same head"
        )


def type_code(subject: Subject) -> None:
    """Require a type code in the range that its author may use, and a name that fits its buffer."""
    if subject.format != DOMAIN_CONTEXT:
        return
    copy_name(subject.record_type.name)
    fault = code_fault(subject.record_type.code, subject.dist)
    if fault is not None:
        raise subject.fail(fault)
