"""Regular expressions of one body class, which match the bytes of valid bodies only.

What a layout demands of single bytes (constants, enumerations, ranges, flags, reserved bytes, the
cases of a union) can be written as a pattern of the `re` module, so that bodies are validated
without being decoded. A pattern may be stricter than the rules, never laxer: what does not match is
decoded and checked.

Counted parts are possessive (`{8}+`): each has one length only, so that to backtrack into it could
never help, and the engine need not remember where it might.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from domctx_core.layout.codegen.source import NotApplicable
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested
from domctx_core.layout.kinds.base import BYTE_ORDERS, ORDERS, ByteOrder, Kind
from domctx_core.layout.kinds.binary import Bitmap, Blob, Reserved, Text
from domctx_core.layout.kinds.scalars import Int
from domctx_core.layout.kinds.variants import Switch
from domctx_core.layout.protocol import BodyBase

__all__ = ["any_bytes", "body_pattern", "number_pattern", "zeros"]

_MAX_VALUES = 1024
"""Single values of one field that a pattern may list."""

_COUNTED = 4
"""Bytes from which on a counted repeat is faster than as many single ones."""

Intervals = Sequence[tuple[int, int]]


def body_pattern(body: type[BodyBase], byteorder: ByteOrder) -> bytes:
    """Return a pattern (for `re.DOTALL`, without groups that capture) of whole valid bodies.

    Raises `NotApplicable` where the size varies, where the class inspects bytes in its own way, and
    where it has a `check` without `trusted_values`.
    """
    layout = body.__layout__
    if byteorder not in layout.patterns:
        layout.patterns[byteorder] = None
        layout.patterns[byteorder] = _body_pattern(body, byteorder)
    known = layout.patterns[byteorder]
    if known is None:
        raise NotApplicable
    return known


def _body_pattern(body: type[BodyBase], byteorder: ByteOrder) -> bytes:
    layout, trusted = body.__layout__, body.__trusted_values__
    if layout.size is None or layout.overridden & {"inspect", "problems"}:
        raise NotApplicable
    if trusted is None and "check" in layout.overridden:
        raise NotApplicable
    order = BYTE_ORDERS[layout.order or ORDERS[byteorder]]
    return _fields(layout.fields, trusted or {}, order, {})


def _fields(
    fields: Sequence[Field],
    trusted: Mapping[str, Collection[int]],
    order: ByteOrder,
    chosen: Mapping[str, int],
) -> bytes:
    """Return the pattern of neighbouring fields; `chosen` are the selectors of known value."""
    out = b""
    for index, field in enumerate(fields):
        kind, rest = field.kind, fields[index + 1 :]
        union = next((f.kind for f in rest if _selects(field, f.kind)), None)
        # A union is laid out as its selector says: from the selector on, there is an alternative
        # for each case, with all the fields that follow in it.
        if isinstance(kind, Int) and isinstance(union, Switch):
            good = _values(kind, trusted.get(field.name))
            branches = [
                number_pattern(kind.size, [(key, key)], order)
                + _fields(rest, trusted, order, {**chosen, field.name: key})
                for key in union.cases
                if good is None or any(low <= key <= high for low, high in good)
            ]
            if not branches:
                raise NotApplicable
            return out + b"(?:" + b"|".join(branches) + b")"
        if type(kind) is Switch:
            if kind.selector not in chosen:
                raise NotApplicable
            if chosen[kind.selector] not in kind.cases:  # another union's, so that these are bytes
                out += any_bytes(kind.size)
                continue
            case = kind.cases[chosen[kind.selector]]
            used = 0 if case is None else case.__layout__.size or 0
            out += b"" if case is None else body_pattern(case, order)
            out += zeros(kind.size - used)
        elif type(kind) is Int:
            out += _integer(kind, trusted.get(field.name), order)
        else:
            out += _pattern(kind, order)
    return out


def _selects(field: Field, kind: Kind) -> bool:
    return type(kind) is Switch and kind.selector == field.name


def _pattern(kind: Kind, order: ByteOrder) -> bytes:
    """Return the pattern of a value that depends on no other."""
    if type(kind) is Int:
        return _integer(kind, None, order)
    if type(kind) is Reserved:
        return zeros(kind.size)
    if type(kind) in (Blob, Text, Bitmap) and kind.size is not None:
        return any_bytes(kind.size)
    if type(kind) is Nested:
        return body_pattern(kind.body, order)
    if type(kind) is Array and isinstance(kind.count, int) and kind.element.size is not None:
        element = _pattern(kind.element, order)
        if element == any_bytes(kind.element.size):
            return any_bytes(kind.element.size * kind.count)
        return b"(?:%s){%d}" % (element, kind.count)
    raise NotApplicable


def _integer(kind: Int, trusted: Collection[int] | None, order: ByteOrder) -> bytes:
    if kind.flags and trusted is None:
        known = kind.known.to_bytes(kind.size, order)
        return b"".join(_one_of(_submasks(mask)) for mask in known)
    values = _values(kind, trusted)
    return any_bytes(kind.size) if values is None else number_pattern(kind.size, values, order)


def _values(kind: Int, trusted: Collection[int] | None) -> Intervals | None:
    """Return the valid numbers as unsigned intervals; None where all are valid."""
    if kind.flags:
        if trusted is None:
            return None if kind.known == kind.highest else _merged(_submasks(kind.known))
        return _merged(v for v in _listed(trusted) if not v & ~kind.known)
    if kind.enum is not None:
        good = _merged(int(member.value) for member in kind.enum)
    elif kind.checked:
        good = _both([kind.bounds], [(kind.lowest, kind.highest)])
    elif trusted is None:
        return None
    else:
        good = [(kind.lowest, kind.highest)]
    if trusted is not None:
        good = _both(good, _intervals(trusted))
    return _unsigned(good, 8 * kind.size)


def _submasks(mask: int) -> Iterable[int]:
    if mask.bit_count() > 8:
        raise NotApplicable
    part = mask
    while part:
        yield part
        part = part - 1 & mask
    yield 0


def _listed(values: Collection[int]) -> Collection[int]:
    if len(values) > _MAX_VALUES:
        raise NotApplicable
    return values


def _intervals(values: Collection[int]) -> Intervals:
    if isinstance(values, range) and values.step == 1:
        return [(values.start, values.stop - 1)] if values else []
    return _merged(_listed(values))


def _merged(values: Iterable[int]) -> list[tuple[int, int]]:
    """Return single values as intervals."""
    out: list[tuple[int, int]] = []
    for value in sorted({int(value) for value in values}):
        if out and value == out[-1][1] + 1:
            out[-1] = out[-1][0], value
        else:
            out.append((value, value))
    return out


def _both(some: Intervals, others: Intervals) -> list[tuple[int, int]]:
    """Return the intervals of what is in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return [(low, high) for low, high in pairs if low <= high]


def _unsigned(intervals: Intervals, bits: int) -> list[tuple[int, int]]:
    """Return intervals of signed numbers of `bits` bits as unsigned ones of the same bytes."""
    turn = 1 << bits
    below = [(low + turn, min(high, -1) + turn) for low, high in intervals if low < 0]
    return below + [(max(low, 0), high) for low, high in intervals if high >= 0]


def number_pattern(size: int, intervals: Intervals, order: ByteOrder) -> bytes:
    """Return the pattern of unsigned numbers of `size` bytes that are in one of the intervals.

    Raises `NotApplicable` where there is no such number.
    """
    full = (1 << 8 * size) - 1
    products: list[list[tuple[int, int]]] = []
    for low, high in intervals:
        low, high = max(low, 0), min(high, full)
        if low <= high:
            products += _split(low.to_bytes(size, "big"), high.to_bytes(size, "big"))
    if not products:
        raise NotApplicable
    parts = []
    for product in products:
        digits = product if order == "big" else product[::-1]
        if all(digit == (0, 255) for digit in digits):
            return any_bytes(size)
        parts.append(b"".join(_byte([digit]) for digit in digits))
    return parts[0] if len(parts) == 1 else b"(?:" + b"|".join(parts) + b")"


def _split(low: bytes, high: bytes) -> list[list[tuple[int, int]]]:
    """Return the numbers from `low` to `high` (big-endian) as few products of ranges of bytes.

    0x0105 to 0x0302 are 0x01 with 0x05 to 0xFF, 0x02 with any byte, and 0x03 with 0x00 to 0x02.
    """
    first, last, size = low[0], high[0], len(low)
    if size == 1:
        return [[(first, last)]]
    if first == last:
        return [[(first, first), *rest] for rest in _split(low[1:], high[1:])]
    head: list[list[tuple[int, int]]] = []
    tail: list[list[tuple[int, int]]] = []
    if any(low[1:]):
        head = [[(first, first), *rest] for rest in _split(low[1:], b"\xff" * (size - 1))]
        first += 1
    if high[1:] != b"\xff" * (size - 1):
        tail = [[(last, last), *rest] for rest in _split(bytes(size - 1), high[1:])]
        last -= 1
    middle = [[(first, last), *[(0, 255)] * (size - 1)]] if first <= last else []
    return head + middle + tail


def _one_of(values: Iterable[int]) -> bytes:
    """Return the pattern of one byte among `values`."""
    return _byte(_merged(values))


def _byte(parts: Intervals) -> bytes:
    """Return the pattern of one byte in one of the intervals."""
    if parts == [(0, 255)]:
        return b"."
    if len(parts) == 1 and parts[0][0] == parts[0][1]:
        return b"\\x%02x" % parts[0][0]
    return b"[" + b"".join(b"\\x%02x-\\x%02x" % part for part in parts) + b"]"


def any_bytes(size: int) -> bytes:
    """Return the pattern of `size` bytes of any value."""
    return b"." * size if size < _COUNTED else b".{%d}+" % size


def zeros(size: int) -> bytes:
    """Return the pattern of `size` bytes of zero."""
    return b"\\x00" * size if size < _COUNTED else b"\\x00{%d}+" % size
