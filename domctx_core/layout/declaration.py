"""`BodyType`: what turns the class statement of a body into fields, and those into a `Layout`."""

from __future__ import annotations

import builtins
import sys
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any

from domctx_core.base.errors import DeclarationError
from domctx_core.layout.compiled import Layout
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import ORDERS, ByteOrder, Kind
from domctx_core.layout.kinds.binary import Blob, Reserved
from domctx_core.layout.kinds.scalars import Count, Int, counted_length
from domctx_core.layout.kinds.variants import BySize, Optional

__all__ = ["BodyType"]

_OVERRIDABLE = ("check", "inspect", "problems", "to_json", "from_json")
"""Methods of `Body` that fast paths do without, unless a class has its own."""


class BodyType(type):
    """Turns the declared fields of a class into slots, and compiles them when first needed."""

    __fields__: dict[str, Field]
    __byteorder__: ByteOrder | None
    __trusted_values__: Mapping[str, Collection[int]] | None

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        byteorder: ByteOrder | None = None,
        trusted_values: Mapping[str, Collection[int]] | None = None,
    ) -> Any:
        inherited: dict[str, Field] = {}
        for base in reversed(bases):
            inherited |= getattr(base, "__fields__", {})
        own = {key: f._replace(name=key) for key, f in namespace.items() if isinstance(f, Field)}
        root = _root(mro for base in bases for mro in base.__mro__)
        for key, field in own.items():
            if key in inherited or key.startswith("__") or hasattr(root, key):
                raise DeclarationError(f"{name}: `{key}` cannot be the name of a field")
            if isinstance(field.kind, Count):
                namespace[key] = _count_property(field.kind.of)
            else:
                del namespace[key]
        namespace["__slots__"] = tuple(
            key for key, f in own.items() if not isinstance(f.kind, (Reserved, Count))
        )
        if byteorder is not None and byteorder not in ORDERS:
            raise DeclarationError(f"{name}: byteorder is 'little' or 'big', not {byteorder!r}")
        cls = super().__new__(mcs, name, bases, namespace)
        cls.__fields__ = inherited | own
        cls.__byteorder__ = byteorder or getattr(cls, "__byteorder__", None)
        if trusted_values is not None or "check" in namespace:
            cls.__trusted_values__ = trusted_values
        else:
            cls.__trusted_values__ = getattr(cls, "__trusted_values__", None)
        for key in trusted_values or ():
            kind = cls.__fields__[key].kind if key in cls.__fields__ else None
            if not isinstance(kind, Int) or isinstance(kind, Count):
                raise DeclarationError(
                    f"{name}: `trusted_values` names `{key}`, which is no integer"
                )
        return cls

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args)

    @property
    def __layout__(cls) -> Layout:
        """Return the compiled layout, made when the class is first used."""
        layout: Layout | None = cls.__dict__.get("_compiled")
        if layout is None:
            layout = cls._compile()
            type.__setattr__(cls, "_compiled", layout)
        return layout

    def _compile(cls) -> Layout:
        """Resolve annotations (an enumeration names an integer's values) and check the whole."""
        hints = cls._hints()
        fields = [f._replace(kind=f.kind.adopt(hints.get(n))) for n, f in cls.__fields__.items()]
        for index, field in enumerate(fields):
            for fault in _faults(field, fields[:index], fields[index + 1 :], cls.__fields__):
                raise DeclarationError(f"{cls.__name__}: {fault}")
        for field in fields:  # names become part of source text; see `codegen.source`
            if not field.name.isidentifier() or iskeyword(field.name):
                raise DeclarationError("the name of a field is a Python name", actual=field.name)
        return Layout(cls, fields, cls.__byteorder__, cls._overridden())

    def _overridden(cls) -> frozenset[str]:
        """Return the names of the methods of `Body` that this class has of its own."""
        root = _root(cls.__mro__)
        own = {name for name in _OVERRIDABLE if _function(cls, name) is not _function(root, name)}
        # A constructor of `codegen.constructors` has these, as that of `Body`.
        return frozenset(
            own if hasattr(_function(cls, "__init__"), "__fields__") else own | {"__init__"}
        )

    def _hints(cls) -> dict[str, Any]:
        hints: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            space = vars(sys.modules.get(base.__module__, typing))
            for name, hint in getattr(base, "__annotations__", {}).items():
                if name in cls.__fields__ and isinstance(hint, str):
                    head, *attributes = hint.split(".")
                    if not all(part.isidentifier() for part in [head, *attributes]):
                        continue  # unions and generics name no enumeration
                    hint = space.get(head, getattr(builtins, head, None))
                    for attribute in attributes:
                        hint = getattr(hint, attribute, None)
                    if hint is None:
                        raise DeclarationError(
                            f"{cls.__name__}: the annotation of `{name}` names something that"
                            f" {base.__module__} does not have; define it at module level"
                        )
                hints[name] = hint
        return hints


def _root(classes: Iterable[type]) -> type | None:
    """Return the last of some classes that is a body class: `Body`; None before that is made."""
    return next((cls for cls in reversed(list(classes)) if isinstance(cls, BodyType)), None)


def _function(cls: type | None, name: str) -> Any:
    method = getattr(cls, name)
    return getattr(method, "__func__", method)


def _count_property(name: str) -> property:
    return property(
        lambda body: counted_length(getattr(body, name)), doc=f"Number of elements of `{name}`."
    )


def _faults(
    field: Field, before: Sequence[Field], after: Sequence[Field], declared: Mapping[str, Field]
) -> Iterator[str]:
    """Yield what is wrong with a field of a declaration, given the fields before and after it."""
    name, kind = field.name, field.kind
    if _takes_the_rest(kind) and after:
        yield f"`{name}` takes all bytes that are left, so nothing can follow it"
    count = getattr(kind, "count", None)
    if isinstance(count, str) and not any(
        f.name == count and isinstance(f.kind, Count) for f in before
    ):
        yield f"`{name}` is counted by `{count}`, which must be a count_of field before it"
    inner = getattr(kind, "element", getattr(kind, "inner", None))
    if inner is not None and isinstance(getattr(inner, "count", None), str):
        yield (
            f"what is inside `{name}` cannot be counted by `{inner.count}`; give it a body of its"
            " own with the count in it"
        )
    if isinstance(kind, Array) and _takes_the_rest(kind.element):
        yield f"an element of `{name}` takes all bytes that are left, so no other can follow it"
    selector = getattr(kind, "selector", None)
    if selector is not None and all(f.name != selector for f in before):
        yield f"`{name}` is chosen by `{selector}`, which must be a field before it"
    if isinstance(kind, Count):
        if kind.of not in declared:
            yield f"`{name}` counts `{kind.of}`, which is no field"
        elif getattr(declared[kind.of].kind, "count", None) != name:
            yield f"`{name}` counts `{kind.of}`, which must name it as its count"


def _takes_the_rest(kind: Kind) -> bool:
    """Return True if decoding a value uses up, or depends on, all bytes that are left."""
    if kind.size is not None:
        return False
    if isinstance(kind, Nested):
        return any(_takes_the_rest(field.kind) for field in kind.layout.fields)
    if isinstance(kind, Optional):
        return kind.lengths is None or _takes_the_rest(kind.inner)
    if isinstance(kind, (Blob, Array)):
        return kind.count is None
    return isinstance(kind, BySize)
