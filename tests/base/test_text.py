"""Text for messages: one line, close names, ranges of numbers, excerpts of JSON."""

from __future__ import annotations

import json

import pytest

from domctx_core.base.text import (
    TOO_LONG,
    did_you_mean,
    excerpt,
    json_integer,
    nearest,
    no_json,
    one_line,
    ranges_of,
    ranges_text,
    suggestion,
)


def test_a_near_name_is_one_that_is_longer_or_misspelt() -> None:
    names = ["TSC_INFO", "END", "X86_TSC_INFO", "RTC", "lower_case"]
    assert nearest("tsc", names)[:2] == ["TSC_INFO", "X86_TSC_INFO"]
    assert nearest("TCS_INFO", names)[0] == "TSC_INFO"
    assert nearest("LOWERCASE", names) == ["lower_case"]
    assert did_you_mean("nothing like it", names) is None
    assert nearest(7, names) == nearest("", names) == nearest("END" * 1000, names) == []


def test_the_closest_names_are_suggested() -> None:
    names = ["TSC_INFO", "END", "X86_TSC_INFO"]
    assert did_you_mean("tcs_info", ["TSC_INFO", "END"]) == "did you mean TSC_INFO?"
    assert did_you_mean("tsc", names) == "did you mean TSC_INFO or X86_TSC_INFO?"
    assert suggestion("ENDE", names) == "; did you mean END?"
    assert suggestion("nothing like it", names) == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is, ünïcode too", "as it is, ünïcode too"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("no \udcff UTF-8\n", "no \udcff UTF-8\\n"),
        ("", ""),
    ],
)
def test_control_characters_are_escaped(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("numbers", "ranges"),
    [
        ([], []),
        ([7], [(7, 7)]),
        ([1, 2, 3, 5, 7, 8], [(1, 3), (5, 5), (7, 8)]),
        ([3, 2, 1, 1], [(3, 3), (2, 2), (1, 1), (1, 1)]),
    ],
)
def test_ranges_of_consecutive_numbers(numbers: list[int], ranges: list[tuple[int, int]]) -> None:
    assert list(ranges_of(numbers)) == ranges


def test_ranges_on_one_line() -> None:
    ranges = [(0, 3), (5, 5), (10, 11)]
    assert ranges_text(ranges) == "0-3, 5, 10-11"
    assert ranges_text(ranges, most=2) == "0-3, 5, ..."
    assert ranges_text(ranges, most=3) == "0-3, 5, 10-11"
    assert ranges_text(ranges, separator=" ", spec="#x") == "0x0-0x3 0x5 0xa-0xb"
    assert ranges_text([]) == ""


def test_an_excerpt_of_a_value() -> None:
    assert excerpt({"a": [1, None]}) == '{"a": [1, null]}'
    assert excerpt("x" * 58) == f'"{"x" * 58}"'
    assert excerpt("x" * 59) == f'"{"x" * 56}...'
    assert excerpt({1, 2}) == '"{1, 2}"'
    assert excerpt(10**5000) == TOO_LONG


def fault(raw: bytes) -> str:
    """Return what `no_json` reports of a text."""
    with pytest.raises((ValueError, RecursionError)) as caught:
        json.loads(raw)
    return no_json(caught.value)


def test_why_a_text_is_not_json() -> None:
    assert fault(b"[1,") == "Expecting value: line 1 column 4 (char 3)"
    assert fault(b'["\xff"]') == "byte 2 is not valid UTF-8"
    assert fault(b"9" * 5000) == TOO_LONG
    assert fault(b"[" * 100_000) == "it is nested too deeply to be read"


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_that_json_readers_would_round_is_text(sign: int) -> None:
    assert json_integer(sign * 2**53) == sign * 2**53
    assert json_integer(sign * (2**53 + 1)) == str(sign * (2**53 + 1))
