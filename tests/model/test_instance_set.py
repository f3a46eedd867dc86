"""The set of instances: duplicates are found in any order, at little cost."""

from __future__ import annotations

from array import array

from domctx_core.model.instance_set import InstanceSet


def test_duplicates_in_any_order_and_without_cost() -> None:
    """A million scattered instances neither slip through nor take quadratic time."""
    from domctx_core.model.instance_set import InstanceSet

    met = InstanceSet()
    assert all(met.add(4, n) for n in range(400_000, 0, -2))
    assert all(met.add(5, n) for n in range(1000))
    assert all(met.add(4, n) for n in range(1, 2000, 2))
    assert met.add(4, 2**32 - 1)
    for instance in (2, 400_000, 1, 1999, 2**32 - 1):
        assert not met.add(4, instance)
    assert met.add(4, 2001)
    assert met.add(6, 2)


def test_a_run_and_single_records_share_their_duplicates() -> None:
    met = InstanceSet()
    assert met.add_ascending([(1, range(5, 9))])
    assert not met.add(1, 7)
    assert not met.add_ascending([(1, array("I", [7, 12]))])
