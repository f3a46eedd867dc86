"""Functions that are made for one body class: its fields written out, instead of a loop over them.

As `dataclasses` does it, and for the same reason: a statement for each field costs a fraction of
what it costs to look up which fields there are. What is made takes what is plain, and leaves the
rest to the ways that explain; a class gets each function when it is first needed.

Names of fields are all that comes from outside, and they are Python names. Those of a function's
own begin with two underscores, which no field's name does.
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from domctx_core.layout.field import REQUIRED, Field
from domctx_core.layout.kinds.aggregates import Array, Nested, Switch
from domctx_core.layout.kinds.base import Checker, Kind
from domctx_core.layout.kinds.scalars import Blob, Int, Reserved

if TYPE_CHECKING:
    from domctx_core.layout.body import Layout

__all__ = ["NOT_PLAIN", "NotPlain", "ask", "define", "initializer", "limits", "maker", "packer"]


class NotPlain(Exception):  # an answer, not an error
    """It is not plain that a value breaks no rule."""


NOT_PLAIN = (NotPlain, struct.error, LookupError, TypeError, ValueError, AttributeError)
"""What a packer raises where another way has to say what is wrong, or that nothing is."""

_ABSENT: Any = REQUIRED
"""Stands for a value that was not given, in what a signature shows as well."""


def define(head: str, lines: Iterable[str], space: dict[str, Any]) -> Callable[..., Any]:
    """The function that has this head and these lines, with the names in `space`."""
    exec("\n ".join([f"def {head}:", *lines]), space)
    made: Callable[..., Any] = space[head.partition("(")[0]]
    return made


def initializer(
    kind: type, fields: Sequence[Field], general: Callable[..., None]
) -> Callable[..., None]:
    """An `__init__` for exactly `kind`, whose attributes are `fields`.

    What is not plain (a field that is missing or unknown, a default to be copied, a subclass) is
    left to `general`, which is given the same values.
    """
    names = [field.name for field in fields]
    space: dict[str, Any] = {
        "__kind": kind, "__absent": _ABSENT, "__general": general, "__given": _given, "__type": type,
    }  # fmt: skip
    parameters, odd = [], ["__others", "__type(__self) is not __kind"]
    for index, field in enumerate(fields):
        default = field.default
        if default is not REQUIRED and copy.deepcopy(default) is default:
            space[f"__default{index}"] = default
            parameters.append(f"{field.name}=__default{index}")
        else:
            parameters.append(f"{field.name}=__absent")
            odd.append(f"{field.name} is __absent")
    star = ["*"] if names else []
    lines = [
        f"if {' or '.join(odd)}:",
        f"  return __general(__self, **__given({', '.join(f'{n}={n}' for n in names)}), **__others)",
        *(f"__self.{name} = {name}" for name in names),
    ]
    head = f"__init__({', '.join(['__self', '/', *star, *parameters, '**__others'])})"
    made = define(head, lines, space)
    made.__fields__ = tuple(names)  # type: ignore[attr-defined]
    made.__module__, made.__qualname__ = kind.__module__, f"{kind.__qualname__}.__init__"
    return made


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not _ABSENT}


def maker(kind: type, fields: Sequence[Field]) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    """Makes a body of each row of values, one for each of `fields`; integers are numbers."""
    space: dict[str, Any] = {
        "__zip": zip, "__map": map, "__new": object.__new__, "__kinds": repeat(kind),
    }  # fmt: skip
    lines = []
    for index, field in enumerate(fields):
        name = value = field.name
        if isinstance(field.kind, Int) and field.kind.enum is not None:
            space[f"__known{index}"], space[f"__wrap{index}"] = field.kind.values, field.kind.wrap
            value = f"__known{index}[{name}] if {name} in __known{index} else __wrap{index}({name})"
        lines.append(f"  __self.{name} = {value}")
    row = "".join(f"{field.name}, " for field in fields)
    return define(
        "__make(__rows)",
        [
            "__made = []; __keep = __made.append",
            f"for ({row}), __self in __zip(__rows, __map(__new, __kinds)):",
            *lines,
            "  __keep(__self)",
            "return __made",
        ],
        space,
    )


Pack = Callable[..., bytes]


def packer(
    layout: Layout,
    order: str,
    *,
    strict: bool = False,
    head: str = "",
    values: Sequence[int | None] = (),
    tail: int = 0,
) -> Pack:
    """Makes the bytes of a body of fixed size that plainly breaks no rule, in one call of `struct`.

    Of any other it raises one of `NOT_PLAIN`. `strict` asks also those fields that `to_bytes` leaves
    to `struct`. `head` are struct codes of what comes before the body, with these `values`; in place
    of None goes the second argument of the call. `tail` zeros come after it.
    """
    order = layout.order or order
    space: dict[str, Any] = {"__type": type, "__int": int, "__NotPlain": NotPlain}
    codes, row, lines = head, ["__number" if v is None else str(v) for v in values], []
    for index, field in enumerate(layout.fields):
        kind, name = field.kind, field.name
        if isinstance(kind, Reserved):
            codes += f"{kind.size}x"
            continue
        codes += kind.code if isinstance(kind, Int) else f"{kind.size}s"
        row.append(name)
        if not isinstance(kind, Int):
            key = f", {kind.selector}" if isinstance(kind, Switch) else ""
            space[f"__pack{index}"] = _value_packer(kind, order, strict)
            lines.append(f"{name} = __pack{index}(__body.{name}{key})")
            continue
        lines.append(f"{name} = __body.{name}")
        wrong = ""
        if kind.enum is not None:
            space[f"__enum{index}"], space[f"__known{index}"] = kind.enum, kind.values
            wrong = (
                f"__type({name}) is not __int and __type({name}) is not __enum{index}"
                f" or {name} not in __known{index}"
            )
            if kind.flags:
                space[f"__fits{index}"] = partial(_flags_fit, kind)
                wrong += f" and not __fits{index}({name})"
        elif kind.checked or strict:
            low, high = limits(kind)
            wrong = f"__type({name}) is not __int or not {low} <= {name} <= {high}"
        if wrong:
            lines.append(f"if {wrong}: raise __NotPlain")
    lines += ask(layout, space, "__body", "__NotPlain")
    space["__struct"] = struct.Struct(f"{order}{codes}{tail}x").pack
    number = ", __number" if None in values else ""
    return define(f"__pack(__body{number})", [*lines, f"return __struct({', '.join(row)})"], space)


def limits(kind: Int) -> tuple[int, int]:
    """The lowest and the highest number that an integer field may have."""
    low = kind.lowest if kind.minimum is None else kind.minimum
    return low, kind.highest if kind.maximum is None else kind.maximum


def _flags_fit(kind: Int, value: int) -> bool:
    """Whether flags are all known; from now on, it is known of them."""
    kind.wrap(int(value))
    return not int(value) & ~kind.known


def ask(layout: Layout, space: dict[str, Any], body: str, odd: str) -> list[str]:
    """The lines that ask a body's own `check`, unless its values are `trusted_values`.

    `body` is the body's name, `odd` that of what is raised where it has something to say.
    """
    trusted = layout.body.__trusted_values__
    if not layout.own_check or trusted == {}:
        return []
    tests = []
    for index, (name, good) in enumerate((trusted or {}).items()):
        space[f"__good{index}"] = good if isinstance(good, range) else frozenset(map(int, good))
        tests.append(f"{name} in __good{index}")
    line = f"for __problem in {body}.check(): raise {odd}"
    return [f"if not ({' and '.join(tests)}):", f"  {line}"] if tests else [line]


def _value_packer(kind: Kind, order: str, strict: bool) -> Callable[..., bytes]:
    """Makes the bytes of one value that is no integer; that of a union also takes its selector."""
    size = kind.size
    if isinstance(kind, Switch):
        return _union_packer(kind, order, strict)
    if type(kind) is Nested:
        return _body_packer(kind.body, kind.layout, order, strict)
    if type(kind) is Blob:

        def blob(value: Any) -> bytes:
            if type(value) is not bytes or len(value) != size:
                raise NotPlain
            return value

        return blob
    if type(kind) is Array and type(kind.element) is Int and not kind.element.checked:
        pack = struct.Struct(f"{order}{kind.count}{kind.element.code}").pack

        def numbers(value: Any) -> bytes:
            if type(value) is not list or not {int}.issuperset(map(type, value)):
                raise NotPlain
            return pack(*value)

        return numbers
    if type(kind) is Array and type(kind.element) is Nested:
        element, count = _value_packer(kind.element, order, strict), kind.count

        def bodies(value: Any) -> bytes:
            if type(value) is not list or len(value) != count:
                raise NotPlain
            return b"".join(map(element, value))

        return bodies

    def other(value: Any) -> bytes:
        checker, out = Checker(thorough=strict), bytearray()
        checker.path.append("")
        kind.check(value, checker, {})
        if checker.problems:
            raise NotPlain
        kind.encode(value, out, order)
        return bytes(out)

    return other


def _body_packer(body: type, layout: Layout, order: str, strict: bool) -> Callable[[Any], bytes]:
    pack = packer(layout, order, strict=strict)

    def nested(value: Any) -> bytes:
        if type(value) is not body:
            raise NotPlain
        return pack(value)

    return nested


def _union_packer(kind: Switch, order: str, strict: bool) -> Callable[[Any, Any], bytes]:
    size = kind.size
    packers = {
        key: None if body is None else _body_packer(body, body.__layout__, order, strict)
        for key, body in kind.cases.items()
    }

    def union(value: Any, key: int) -> bytes:
        if key not in packers:
            if type(value) is not bytes or len(value) != size:
                raise NotPlain
            return value
        pack = packers[key]
        if pack is not None:
            return pack(value)  # `struct` adds the zeros after a shorter case
        if value is not None:
            raise NotPlain
        return b""

    return union
