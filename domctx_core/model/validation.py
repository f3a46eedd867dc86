"""Validate the declarations of authors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domctx_core.base.errors import DeclarationError
from domctx_core.base.problems import Severity
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.binary import Blob
from domctx_core.layout.kinds.scalars import Int
from domctx_core.model.format import Format
from domctx_core.model.record_type import RecordType, all_bodies

__all__ = ["NAME_SIZE", "copy_name", "validate_format", "validate_record_type"]


def validate_record_type(record_type: Any) -> RecordType[Any]:
    """Return the record type that an author declared, as an instance; a class is instantiated.

    Raises `DeclarationError` for what is missing or wrong.
    """
    if isinstance(record_type, type) and issubclass(record_type, RecordType):
        record_type = record_type()
    if not isinstance(record_type, RecordType):
        raise DeclarationError(
            f"{record_type!r:.80} is not a record type",
            expected="a subclass of domctx_core.RecordType, or an instance of one",
            actual=type(record_type).__name__,
        )
    who = type(record_type).__name__
    for attribute in ("code", "name", "body"):
        if not hasattr(record_type, attribute):
            raise DeclarationError(f"{who} declares no `{attribute}`")
    code, body = record_type.code, record_type.body
    if type(code) is not int or not 0 <= code < 2**32:
        raise DeclarationError(
            f"{who}: the type code is not an unsigned 32-bit number",
            expected="0 to 4294967295",
            actual=code,
        )
    for attribute, each in (("body", body), *(("bodies", each) for each in record_type.bodies)):
        if not (isinstance(each, type) and issubclass(each, Body)):
            raise DeclarationError(f"{who}: `{attribute}` is not a Body class", actual=repr(each))
        each.__layout__  # noqa: B018  # a layout that cannot be compiled is found here, not later
    names: Any = record_type.identity
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise DeclarationError(
            f"{who}: `identity` is not a sequence of names",
            expected="a tuple of str",
            actual=repr(names)[:80],
        )
    for name in names:
        for each in all_bodies(record_type):
            field = each.__layout__.by_name.get(name)
            if field is None or not isinstance(field.kind, (Int, Blob)):
                raise DeclarationError(
                    f"{who}: `identity` names `{name}`, which cannot identify a record",
                    expected=f"a field of {each.__name__} that is a number, text or bytes",
                    actual="no field" if field is None else field.kind.label,
                )
    if record_type.bodies and not record_type.depends:
        raise DeclarationError(
            f"{who}: `bodies` has a choice of classes, but `depends` is empty",
            expected="type codes in `depends`",
        )
    return record_type


def _number(value: Any, least: int = 0) -> bool:
    return type(value) is int and least <= value < 1 << 64


_ATTRIBUTES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "title": (lambda value: isinstance(value, str), "a str"),
    "header": (
        lambda value: value is None or (isinstance(value, type) and issubclass(value, Body)),
        "a Body class, or None",
    ),
    "alignment": (lambda value: _number(value, 1), "a number of bytes, 1 or more"),
    "padding": (lambda value: isinstance(value, Severity), "a Severity"),
    "first": (lambda value: value is None or _number(value), "a type code, or None"),
    "last": (_number, "a type code"),
    "optional": (_number, "bits of a type code"),
    "max_length": (lambda value: value is None or _number(value), "a number of bytes, or None"),
}
"""The attributes of a format: a test of the value, and what it expects."""


def validate_format(format: Format) -> None:
    """Raise `DeclarationError` for an attribute of a format with an invalid value."""
    for name, (fits, expected) in _ATTRIBUTES.items():
        value = getattr(format, name)
        if not fits(value):
            raise DeclarationError(
                f"`{name}` of the format {format.name} is not valid",
                expected=expected,
                actual=repr(value)[:80],
            )


NAME_SIZE = 16
"""Bytes of a name buffer: up to 15 ASCII characters, then at least one NUL."""


def copy_name(name: object) -> bytes:
    """Return the 16-byte buffer of a record type's name, which is text or bytes.

    A name that is empty, longer than 15 characters, or not printable ASCII without blanks raises
    `DeclarationError`; it is never cut.
    """
    if isinstance(name, (bytes, bytearray, memoryview)):
        raw = bytes(name)
    elif isinstance(name, str):
        raw = name.encode("utf-8", "surrogatepass")
    else:
        raise DeclarationError("the name of a record type is not text", actual=repr(name))
    shown = repr(raw.decode("utf-8", "replace"))
    if not 0 < len(raw) < NAME_SIZE:
        raise DeclarationError(
            f"the name {shown:.40} does not fit its buffer",
            expected=f"1 to {NAME_SIZE - 1} characters",
            actual=f"{len(raw)} bytes",
            hint="choose a shorter name; names are not truncated",
        )
    if not all(0x21 <= byte <= 0x7E for byte in raw):
        raise DeclarationError(
            f"the name {shown} has characters other than printable ASCII",
            expected="letters, digits, `_`",
            actual=raw.hex(),
        )
    return raw.ljust(NAME_SIZE, b"\0")
