"""Ranges: numbers as people write them, `1-30, 50`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["ranges_of", "ranges_text"]


def ranges_of(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers in their order, each one and those that count on from it as (first, last)."""
    first = last = None
    for number in numbers:
        if first is not None and last is not None:
            if number == last + 1:
                last = number
                continue
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last


def ranges_text(
    ranges: Iterable[tuple[int, int]],
    *,
    most: int | None = None,
    separator: str = ", ",
    spec: str = "",
) -> str:
    """Ranges in one line, each number formatted as `spec` says; an ellipsis after the first `most`."""
    parts: list[str] = []
    for first, last in ranges:
        if len(parts) == most:
            parts.append("...")
            break
        text = f"{first:{spec}}"
        parts.append(text if first == last else f"{text}-{last:{spec}}")
    return separator.join(parts)
