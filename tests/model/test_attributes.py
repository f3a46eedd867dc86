"""The values that record types are declared with."""

from __future__ import annotations

import pytest

from domctx_core import ANY, PER_VCPU, SINGLE, Empty, Errno, Instances
from domctx_core.model.attributes import Tally


def test_instances_say_how_many_and_what_a_load_refuses_others_with() -> None:
    assert (ANY.limit, SINGLE.limit, PER_VCPU.limit) == (None, 1, None)
    assert [each.per_vcpu for each in (ANY, SINGLE, PER_VCPU)] == [False, False, True]
    assert Instances(limit=4).errno is Errno.ENXIO


def test_a_tally_needs_add_and_text_and_has_no_amounts() -> None:
    tally: Tally[Empty] = Tally()
    with pytest.raises(NotImplementedError):
        tally.add(Empty())
    with pytest.raises(NotImplementedError):
        tally.text()
    assert tuple(tally.amounts()) == ()
