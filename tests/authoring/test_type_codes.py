"""Which type codes a distribution may use."""

from __future__ import annotations

import pytest

from domctx_core.authoring.type_codes import ALLOCATED, PRIVATE, THIRD_PARTY, code_fault


@pytest.mark.parametrize("code", [0x100, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_codes_for_everyone(code: int) -> None:
    assert code_fault(code, None) is None
    assert code_fault(code, "acme") is None


@pytest.mark.parametrize("code", [*ALLOCATED, 6, 0xFF])
def test_codes_that_are_reserved(code: int) -> None:
    for dist in (None, "acme"):
        assert code_fault(code, dist) == (
            f"type code {code:#x} is reserved for Xen and domctx itself; take one from 0x100 to"
            " 0x7fffffff"
        )


@pytest.mark.parametrize(("code", "dist"), ALLOCATED.items())
def test_an_allocated_code_is_its_distribution_s(code: int, dist: str) -> None:
    assert code_fault(code, dist) is None


def test_the_ranges_do_not_overlap() -> None:
    assert max(ALLOCATED) < THIRD_PARTY.start
    assert THIRD_PARTY.stop == PRIVATE.start
    assert PRIVATE.stop == 2**32
