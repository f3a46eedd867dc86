"""Set one field in the bytes of a body, and no other byte of it."""

from __future__ import annotations

from typing import Any

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    BodyError,
    DomctxError,
    Errno,
    ImageError,
    PluginError,
    UsageError,
    describe,
)
from domctx_core.images.edit.drafts import RecordDraft
from domctx_core.images.edit.operations import SetField, SetHeader
from domctx_core.images.edit.outcome import EditChange
from domctx_core.layout.body import Body
from domctx_core.layout.field_path import Ref, resolve
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.layout.kinds.bits import Bits

__all__ = ["find_in", "refusal", "set_value"]

_SHOWN = 100
"""Characters of a value that are shown."""


def set_value(
    cls: type[Body],
    raw: bytes,
    order: ByteOrder,
    operation: SetField | SetHeader,
    item: RecordDraft | None,
) -> tuple[bytes, EditChange]:
    """Return the bytes of a body with one field set, and what changed."""
    try:
        return _set_value(cls, raw, order, operation, item)
    except DomctxError:
        raise
    except PLUGIN_ERRORS as error:
        raise _raised(f"setting `{operation.field}` of", cls, item, error) from error


def _set_value(
    cls: type[Body],
    raw: bytes,
    order: ByteOrder,
    operation: SetField | SetHeader,
    item: RecordDraft | None,
) -> tuple[bytes, EditChange]:
    field = operation.field
    if isinstance(operation, SetHeader):
        name = whole = f"{'/'.join(operation.path)}:"
    else:
        assert item is not None
        name, whole = item.label, f"{item.label}."
    body = _decoded(cls, raw, order, item)
    if body is None:
        raise refusal(item, f"{name} cannot be decoded, so it has no fields to be set")
    before = body.to_bytes(order, check=False)
    try:
        place = resolve(body, field)
    except UsageError as error:
        raise _told_again(error, f"{name} {error.message}") from error
    except BodyError as error:
        raise refusal(
            item, f"{name} {error.message}", field=field, expected=error.expected,
            actual=error.actual, hint=error.hint,
        ) from error  # fmt: skip
    old, old_text, old_value = place.to_json(), place.text(), place.value
    try:
        place.set(operation.value)
        after = body.to_bytes(order, check=False)
    except (UsageError, BodyError) as error:
        prefix = whole if isinstance(error, UsageError) else f"{whole}{field}: "
        raise _told_again(error, f"{prefix}{error.message}") from error
    # what a short body lacks is decoded as zeros; it grows as far as the field reaches
    new = _spliced(raw.ljust(len(before), b"\0"), before, after)
    if new is None:
        raise refusal(
            item,
            f"{name} has reserved bytes that are not zero, and the change would move them",
            field=field,
        )
    if len(raw) < len(before):
        new = new[: max(len(raw), place.offset + place.size)]
    again = find_in(cls, new, order, place.whole.path, item)
    if again is not None and again.to_json() != place.whole.to_json():
        raise UsageError(f"{whole}{field} cannot hold that value", actual=operation.value[:60])
    text = _turned(old_value, place.value) or f"{_cut(old_text)} -> {_cut(place.text())}"
    return new, EditChange("set", (), field=field, old=old, new=place.to_json(), text=text)


def _turned(old: Any, new: Any) -> str:
    """Return which bits of a bitmap were set and cleared; empty for any other value."""
    if not (isinstance(old, Bits) and isinstance(new, Bits)):
        return ""
    before, after = old.to_int(), new.to_int()
    turned = (("sets", after & ~before), ("clears", before & ~after))
    return ", ".join(
        f"{verb} {_cut(Bits.from_int(new.size, bits).text())}" for verb, bits in turned if bits
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def _told_again(error: UsageError | BodyError, message: str) -> UsageError:
    return UsageError(message, expected=error.expected, actual=error.actual, hint=error.hint)


def _decoded(
    cls: type[Body], raw: bytes, order: ByteOrder, item: RecordDraft | None
) -> Body | None:
    try:
        return cls.inspect(raw, order).body
    except PLUGIN_ERRORS as error:
        raise _raised("decoding", cls, item, error) from error


def _raised(
    doing: str, cls: type[Body], item: RecordDraft | None, error: BaseException
) -> PluginError:
    provider = None
    if item is not None and item.record.entry is not None:
        provider = item.record.entry.provider
    return PluginError(f"{doing} {cls.__name__} raised {describe(error)}", provider=provider)


def find_in(
    cls: type[Body], raw: bytes, order: ByteOrder, field: str, item: RecordDraft | None
) -> Ref | None:
    """Find a field in these bytes; None if they do not have it."""
    body = _decoded(cls, raw, order, item)
    try:
        place = None if body is None else resolve(body, field)
    except (BodyError, UsageError):
        return None
    beyond = place is not None and place.size > 0 and place.offset >= len(raw)
    return None if beyond else place


def _spliced(raw: bytes, before: bytes, after: bytes) -> bytes | None:
    """Apply the difference of `before` and `after` to `raw`; None if that is ambiguous.

    `before` is `raw` as its fields encode it. Where the two differ, `raw` has something that no field
    holds (reserved bytes that are not zero), and keeps it.
    """
    if raw[: len(before)] == before:
        return after + raw[len(before) :]
    if len(before) != len(after):
        return None
    bytes_of = zip(raw, before, after, strict=False)
    changed = bytes(r if b == a else a for r, b, a in bytes_of)
    return changed + raw[len(before) :]


def refusal(item: RecordDraft | None, message: str, **details: Any) -> ImageError:
    if item is not None:
        record = item.record
        details |= {
            "offset": record.offset,
            "record": record.index,
            "type": record.type,
            "type_name": record.name,
            "instance": record.instance,
        }
    return ImageError(message, **{"errno": Errno.EINVAL, **details})
