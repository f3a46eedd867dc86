"""`RecordTypeConformance`: inherit it, name your record type, and get the standard tests."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from domctx_core.authoring import requirements as conformance
from domctx_core.authoring.requirements import Subject
from domctx_core.host.host import Host
from domctx_core.model.record_type import RecordType
from domctx_core.model.registry import Provider
from domctx_core.model.validation import validate_record_type
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["RecordTypeConformance", "subject_of"]


class RecordTypeConformance:
    """The standard tests of a record type::

        class TestGrantTable(RecordTypeConformance):
            record_type = GrantTableRecord

    Types that it says must come earlier (`after`) are taken from the installed plugins. `dist` is
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
                    " pytest.mark.xfail(reason=...), or give it another name"
                )

    @pytest.fixture
    def subject(self) -> Subject:
        """The record type in a registry with START, END and what it builds on."""
        return subject_of(self.record_type, format=self.format, dist=self.dist)

    def test_examples_exist(self, subject: Subject) -> None:
        """There is at least one valid body."""
        conformance.examples_exist(subject)

    def test_bytes_round_trip(self, subject: Subject) -> None:
        """Body to bytes and back, in both byte orders."""
        conformance.bytes_round_trip(subject)

    def test_json_round_trip(self, subject: Subject) -> None:
        """Body to JSON and back."""
        conformance.json_round_trip(subject)

    def test_short_bodies(self, subject: Subject) -> None:
        """A body cut anywhere gives problems, never another error."""
        conformance.short_bodies(subject)

    def test_long_bodies(self, subject: Subject) -> None:
        """A body with bytes after its end gives problems."""
        conformance.long_bodies(subject)

    def test_random_bodies(self, subject: Subject) -> None:
        """Random bytes give problems, never another error."""
        conformance.random_bodies(subject)

    def test_reserved_fields(self, subject: Subject) -> None:
        """Reserved bytes that are not zero are reported."""
        conformance.reserved_fields(subject)

    def test_dry_run_size(self, subject: Subject) -> None:
        """A dry run gives exactly the size that a save writes."""
        conformance.dry_run_size(subject)

    def test_save_and_load(self, subject: Subject) -> None:
        """What one simulated domain saves, another loads and saves again."""
        conformance.save_and_load(subject)

    def test_runs(self, subject: Subject) -> None:
        """Records come to the same one by one and as a whole run."""
        conformance.runs(subject)

    def test_instances(self, subject: Subject) -> None:
        """Instances are kept apart, and one that is not allowed is refused."""
        conformance.instances(subject)

    def test_documentation(self, subject: Subject) -> None:
        """The record type, its body and every field say what they are."""
        conformance.documentation(subject)

    def test_dependence(self, subject: Subject) -> None:
        """What the body depends on is remembered, and chooses among the declared bodies."""
        conformance.dependence(subject)

    def test_trusted_values(self, subject: Subject) -> None:
        """Of trusted values, `check` and `judge` have nothing to say."""
        conformance.trusted_values(subject)

    def test_heads(self, subject: Subject) -> None:
        """Of a bulk type, `prefix` finds the whole head, and `measure` agrees with `extent`."""
        conformance.heads(subject)

    def test_type_code(self, subject: Subject) -> None:
        """The type code is in the range that its author may use."""
        conformance.type_code(subject)


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
    """A record type among the installed ones, for tests of many types at once::

        class TestAll(RecordTypeConformance):
            @pytest.fixture(params=[OneRecord, OtherRecord])
            def subject(self, request):
                return subject_of(request.param)

    Raises `TypeError` where its type code is another record type's here.
    """
    made = validate_record_type(record_type)
    registry = Host().formats.registry(format)
    entry = registry.get(made.code)
    if entry is None:
        registry.register(made, Provider(dist or type(made).__module__, "0"))
    elif type(entry.record_type) is not type(made):
        raise TypeError(f"type code {made.code} is {entry.record_type!r} of {entry.provider} here")
    return Subject(made, registry, format=format, dist=dist)
