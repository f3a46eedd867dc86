"""Patterns: a body of fixed size as a bytes pattern that only bodies without a problem match.

What a layout demands of single bytes (constants, enumerations, ranges, flags, reserved bytes, the
cases of a union) is what a pattern of the `re` module says well, so that bodies can be proved good
without decoding them. A pattern may be stricter than the rules, never laxer: what does not match
is decoded and judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from domctx_core.layout.body import Body
from domctx_core.layout.field import Field
from domctx_core.layout.kinds.aggregates import Array, Nested, Switch
from domctx_core.layout.kinds.base import ORDERS, ByteOrder, Kind
from domctx_core.layout.kinds.scalars import Bitmap, Blob, Int, Reserved, Text

__all__ = ["NoPattern", "any_bytes", "body_pattern", "number_pattern", "zeros"]

_MAX_VALUES = 1024
"""Single values of one field that a pattern may list."""

_COUNTED = 4
"""Bytes from which on to count them costs less than to match one by one."""

Intervals = Sequence[tuple[int, int]]


class NoPattern(Exception):  # an answer, not an error
    """The bodies have no pattern: their size varies, or a `check` of theirs has to be asked."""


def body_pattern(body: type[Body], byteorder: ByteOrder) -> bytes:
    """A pattern (for `re.DOTALL`, without groups that capture) of whole bodies without a problem.

    Raises `NoPattern` where the size is not fixed, and for a `check` without `trusted_values`.
    """
    layout = body.__layout__
    if byteorder not in layout.patterns:
        layout.patterns[byteorder] = None
        layout.patterns[byteorder] = _body_pattern(body, byteorder)
    known = layout.patterns[byteorder]
    if known is None:
        raise NoPattern
    return known


def _body_pattern(body: type[Body], byteorder: ByteOrder) -> bytes:
    layout = body.__layout__
    if layout.size is None or body.inspect.__func__ is not Body.inspect.__func__:  # type: ignore[attr-defined]
        raise NoPattern
    if body.problems is not Body.problems:
        raise NoPattern
    trusted = body.__trusted_values__
    if trusted is None:
        if layout.own_check:
            raise NoPattern
        trusted = {}
    order = ORDERS[byteorder] if layout.order is None else layout.order
    name: ByteOrder = "little" if order == "<" else "big"
    return _fields(layout.fields, trusted, name, {})


def _fields(
    fields: Sequence[Field],
    trusted: Mapping[str, Collection[int]],
    order: ByteOrder,
    chosen: Mapping[str, int],
) -> bytes:
    """The pattern of fields in a row; `chosen` are the selectors whose value is settled."""
    out = b""
    for index, field in enumerate(fields):
        kind, rest = field.kind, fields[index + 1 :]
        union = next((f.kind for f in rest if _selects(field, f.kind)), None)
        if isinstance(kind, Int) and isinstance(union, Switch):
            good = _values(kind, trusted.get(field.name))
            branches = [
                number_pattern(kind.size, [(key, key)], order)
                + _fields(rest, trusted, order, {**chosen, field.name: key})
                for key in union.cases
                if good is None or any(low <= key <= high for low, high in good)
            ]
            if not branches:
                raise NoPattern
            return out + b"(?:" + b"|".join(branches) + b")"
        if type(kind) is Switch:
            if kind.selector not in chosen:
                raise NoPattern
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
    """The pattern of one value without neighbours that it depends on."""
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
    raise NoPattern


def _integer(kind: Int, trusted: Collection[int] | None, order: ByteOrder) -> bytes:
    if kind.flags and trusted is None:
        known = kind.known.to_bytes(kind.size, order)
        return b"".join(_one_of(_submasks(mask)) for mask in known)
    values = _values(kind, trusted)
    return any_bytes(kind.size) if values is None else number_pattern(kind.size, values, order)


def _values(kind: Int, trusted: Collection[int] | None) -> Intervals | None:
    """What a number may be, as unsigned intervals; None where it may be anything."""
    if kind.flags:
        if trusted is None:
            return None if kind.known == kind.highest else _merged(_submasks(kind.known))
        return _merged(v for v in _listed(trusted) if not v & ~kind.known)
    if kind.enum is not None:
        good = _merged(int(member.value) for member in kind.enum)
    elif kind.checked:
        low = kind.lowest if kind.minimum is None else kind.minimum
        high = kind.highest if kind.maximum is None else kind.maximum
        good = [(max(low, kind.lowest), min(high, kind.highest))]
    elif trusted is None:
        return None
    else:
        good = [(kind.lowest, kind.highest)]
    if trusted is not None:
        good = _both(good, _intervals(trusted))
    return _unsigned(good, 8 * kind.size)


def _submasks(mask: int) -> Iterable[int]:
    if mask.bit_count() > 8:
        raise NoPattern
    part = mask
    while part:
        yield part
        part = part - 1 & mask
    yield 0


def _listed(values: Collection[int]) -> Collection[int]:
    if len(values) > _MAX_VALUES:
        raise NoPattern
    return values


def _intervals(values: Collection[int]) -> Intervals:
    if isinstance(values, range) and values.step == 1:
        return [(values.start, values.stop - 1)] if values else []
    return _merged(_listed(values))


def _merged(values: Iterable[int]) -> list[tuple[int, int]]:
    """Single values as intervals."""
    out: list[tuple[int, int]] = []
    for value in sorted({int(value) for value in values}):
        if out and value == out[-1][1] + 1:
            out[-1] = out[-1][0], value
        else:
            out.append((value, value))
    return out


def _both(some: Intervals, others: Intervals) -> list[tuple[int, int]]:
    """The intervals of what lies in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return [(low, high) for low, high in pairs if low <= high]


def _unsigned(intervals: Intervals, bits: int) -> list[tuple[int, int]]:
    """Numbers of `bits` bits as they lie in bytes, which have no sign."""
    turn = 1 << bits
    below = [(low + turn, min(high, -1) + turn) for low, high in intervals if low < 0]
    return below + [(max(low, 0), high) for low, high in intervals if high >= 0]


def number_pattern(size: int, intervals: Intervals, order: ByteOrder) -> bytes:
    """The pattern of unsigned numbers of `size` bytes that lie in one of the intervals.

    Raises `NoPattern` where there is no such number.
    """
    full = (1 << 8 * size) - 1
    products: list[list[tuple[int, int]]] = []
    for low, high in intervals:
        low, high = max(low, 0), min(high, full)
        if low <= high:
            products += _split(low.to_bytes(size, "big"), high.to_bytes(size, "big"))
    if not products:
        raise NoPattern
    parts = []
    for product in products:
        digits = product if order == "big" else product[::-1]
        if all(digit == (0, 255) for digit in digits):
            return any_bytes(size)
        parts.append(b"".join(_byte([digit]) for digit in digits))
    return parts[0] if len(parts) == 1 else b"(?:" + b"|".join(parts) + b")"


def _split(low: bytes, high: bytes) -> list[list[tuple[int, int]]]:
    """The numbers from `low` to `high` (big-endian) as few rows of independent digits."""
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
    """One byte among `values`."""
    return _byte(_merged(values))


def _byte(parts: Intervals) -> bytes:
    """One byte in one of the intervals."""
    if parts == [(0, 255)]:
        return b"."
    if len(parts) == 1 and parts[0][0] == parts[0][1]:
        return b"\\x%02x" % parts[0][0]
    return b"[" + b"".join(b"\\x%02x-\\x%02x" % part for part in parts) + b"]"


def any_bytes(size: int) -> bytes:
    """`size` bytes of any value."""
    return b"." * size if size < _COUNTED else b".{%d}+" % size


def zeros(size: int) -> bytes:
    """`size` bytes of zero."""
    return b"\\x00" * size if size < _COUNTED else b"\\x00{%d}+" % size
