"""The list of all requirements, in the order in which they are checked."""

from __future__ import annotations

from domctx_core.authoring import body_requirements, engine_requirements, type_requirements
from domctx_core.authoring.requirements import CHECKS
from domctx_core.testing import RecordTypeConformance


def test_every_requirement_is_listed_by_its_name() -> None:
    rooms = (body_requirements, engine_requirements, type_requirements)
    assert sorted(CHECKS) == sorted(name for room in rooms for name in room.__all__)
    assert all(check.__doc__ for check in CHECKS.values())


def test_every_requirement_is_a_standard_test() -> None:
    tests = {name for name in vars(RecordTypeConformance) if name.startswith("test_")}
    assert tests == {f"test_{name}" for name in CHECKS}
