"""Formats: what the base class leaves open, and the framing of the domain context."""

from __future__ import annotations

import pytest
from support import end, rec, start

from domctx_core import DomainContext, Format, Framing


class Open(Format):
    name = "open"


def test_a_format_recognises_nothing_and_has_no_prologue_by_default() -> None:
    made = Open()
    assert not made.recognises(start())
    assert (made.byteorder(b""), made.prologue([])) == ("little", None)
    with pytest.raises(NotImplementedError):
        made.framing([], b"")


@pytest.mark.parametrize(("order", "name"), [("<", "little"), (">", "big")])
def test_a_domain_context_shows_its_byte_order(order: str, name: str) -> None:
    head = start(order=order)
    assert DomainContext().recognises(head)
    assert DomainContext().framing([], head) == Framing(name, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("head", [b"", start()[:4], end(), rec(1, 1, bytes(8)), b"LIBXLFMT" * 3])
def test_an_input_that_does_not_begin_with_start_is_no_domain_context(head: bytes) -> None:
    assert not DomainContext().recognises(head)
