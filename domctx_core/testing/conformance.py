"""`RecordTypeConformance`: inherit it, name your record type, and get the standard tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from domctx_core.authoring.requirements import CHECKS
from domctx_core.authoring.subject import Subject
from domctx_core.host.host import Host
from domctx_core.model.record_type import RecordType
from domctx_core.model.registry import Provider
from domctx_core.model.validation import validate_record_type
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["RecordTypeConformance", "subject_of"]


def _standard(name: str) -> Callable[[Any, Subject], None]:
    """Return the test method for one requirement."""
    check = CHECKS[name]

    def test(self: Any, subject: Subject) -> None:
        check(subject)

    test.__doc__ = check.__doc__
    return test


class RecordTypeConformance:
    """The standard tests of a record type::

        class TestGrantTable(RecordTypeConformance):
            record_type = GrantTableRecord

    Types that its `after` names are taken from the installed plugins. `dist` is
    the distribution's name, where its codes are given out by domctx itself; `format` the format
    of a type that is not the domain context's.

    A standard test cannot be dropped silently: one that is overridden must be marked with
    `pytest.mark.xfail(reason=...)`, or the class cannot be made.
    """

    record_type: ClassVar[type[RecordType[Any]] | RecordType[Any]]
    format: ClassVar[str] = DOMAIN_CONTEXT
    dist: ClassVar[str | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in _STANDARD:
            value = getattr(cls, name)
            if value is not getattr(RecordTypeConformance, name) and not _excused(value):
                raise TypeError(
                    f"{cls.__name__}.{name} replaces a standard test: mark it with"
                    " pytest.mark.xfail(reason=...), or rename it"
                )

    @pytest.fixture
    def subject(self) -> Subject:
        """Provide the record type in a registry with START, END and what it depends on."""
        return subject_of(self.record_type, format=self.format, dist=self.dist)

    test_examples_exist = _standard("examples_exist")
    test_bytes_round_trip = _standard("bytes_round_trip")
    test_json_round_trip = _standard("json_round_trip")
    test_short_bodies = _standard("short_bodies")
    test_long_bodies = _standard("long_bodies")
    test_random_bodies = _standard("random_bodies")
    test_reserved_fields = _standard("reserved_fields")
    test_dry_run_size = _standard("dry_run_size")
    test_save_and_load = _standard("save_and_load")
    test_runs = _standard("runs")
    test_instances = _standard("instances")
    test_documentation = _standard("documentation")
    test_dependence = _standard("dependence")
    test_trusted_values = _standard("trusted_values")
    test_heads = _standard("heads")
    test_type_code = _standard("type_code")


_STANDARD = frozenset(name for name in vars(RecordTypeConformance) if name.startswith("test_"))


def _excused(value: Any) -> bool:
    marks = getattr(value, "pytestmark", ())
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)


def subject_of(
    record_type: type[RecordType[Any]] | RecordType[Any],
    *,
    format: str = DOMAIN_CONTEXT,
    dist: str | None = None,
) -> Subject:
    """Return a record type among the installed ones, for tests of many types at once::

        class TestAll(RecordTypeConformance):
            @pytest.fixture(params=[OneRecord, OtherRecord])
            def subject(self, request):
                return subject_of(request.param)

    Raise `TypeError` if its type code is another record type's here.
    """
    own = validate_record_type(record_type)
    registry = Host().formats.registry(format)
    entry = registry.get(own.code)
    if entry is None:
        registry.register(own, Provider(dist or type(own).__module__, "0"))
    elif type(entry.record_type) is not type(own):
        raise TypeError(
            f"type code {own.code} belongs to {entry.record_type!r} of {entry.provider}"
        )
    return Subject(own, registry, format=format, dist=dist)
