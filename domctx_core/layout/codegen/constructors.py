"""Constructors of one body class: its `__init__`, and the factory of bodies from rows of values."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

from domctx_core.layout.codegen.source import compile_function
from domctx_core.layout.field import REQUIRED, Field
from domctx_core.layout.kinds.scalars import Int

__all__ = ["Factory", "body_factory", "initializer"]

Factory = Callable[[Iterable[Sequence[Any]]], list[Any]]
"""Makes a body of each row of values."""

_ABSENT: Any = REQUIRED
"""Stands for a value that was not given, in what a signature shows as well."""


def initializer(
    kind: type, fields: Sequence[Field], general: Callable[..., None]
) -> Callable[..., None]:
    """Return an `__init__` for exactly `kind`, whose attributes are `fields`.

    Anything but one value for each field (one that is missing or unknown, a default to be copied, a
    subclass) goes to `general`, which is given the same values.
    """
    names = [field.name for field in fields]
    space: dict[str, Any] = {
        "__kind": kind, "__absent": _ABSENT, "__general": general, "__given": _given, "__type": type,
    }  # fmt: skip
    parameters, special = [], ["__others", "__type(__self) is not __kind"]
    for index, field in enumerate(fields):
        default = field.default
        if default is not REQUIRED and copy.deepcopy(default) is default:
            space[f"__default{index}"] = default
            parameters.append(f"{field.name}=__default{index}")
        else:
            parameters.append(f"{field.name}=__absent")
            special.append(f"{field.name} is __absent")
    star = ["*"] if names else []
    lines = [
        f"if {' or '.join(special)}:",
        f"  return __general(__self, **__given({', '.join(f'{n}={n}' for n in names)}), **__others)",
        *(f"__self.{name} = {name}" for name in names),
    ]
    head = f"__init__({', '.join(['__self', '/', *star, *parameters, '**__others'])})"
    init = compile_function(f"constructor of {kind.__name__}", head, lines, space)
    init.__fields__ = tuple(names)  # type: ignore[attr-defined]  # marks it as generated: see declaration
    init.__module__, init.__qualname__ = kind.__module__, f"{kind.__qualname__}.__init__"
    return init


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not _ABSENT}


def body_factory(kind: type, fields: Sequence[Field]) -> Factory:
    """Return what makes a body of each row of values, one for each of `fields`.

    Integers are numbers in a row; a member of an enumeration is looked up.
    """
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
    return compile_function(
        f"factory of {kind.__name__}",
        "__make(__rows)",
        [
            "__bodies = []; __keep = __bodies.append",
            f"for ({row}), __self in __zip(__rows, __map(__new, __kinds)):",
            *lines,
            "  __keep(__self)",
            "return __bodies",
        ],
        space,
    )
