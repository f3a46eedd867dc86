"""Requirements of a record type as such: documentation, trusted values, heads, type code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from gauge_records import Gauge, GaugeRecord, sample_subject

from domctx_core import Body, Problem, RecordType, u32
from domctx_core.authoring import type_requirements as requirements
from domctx_core.authoring.subject import Nonconformity, Subject

ALL = [getattr(requirements, name) for name in requirements.__all__]


@pytest.mark.parametrize("requirement", ALL)
def test_a_type_that_conforms(requirement: Callable[[Subject], None]) -> None:
    requirement(sample_subject(GaugeRecord))


class Bare(Body):
    value: int = u32()


class BareRecord(RecordType[Bare]):
    code, name, body = 300, "BARE", Bare


class Undecided(GaugeRecord):
    """Depends on a type that is not there."""

    depends: ClassVar[tuple[int, ...]] = (0x999,)


class Trusting(Gauge, trusted_values={"value": range(10)}):
    """Trusts values that its check does not accept."""

    def check(self) -> Iterator[Problem]:
        if self.value == 7:
            yield Problem("field-out-of-range", "seven is wrong", 0, "value")


class TrustingRecord(RecordType[Trusting]):
    """A record with that body."""

    code, name, body = 300, "TRUSTING", Trusting
    trusted_values = range(100)


class Judging(GaugeRecord):
    """Trusts instances that `judge` reports."""

    trusted_values = range(100)

    def judge(self, instance: int, body: Gauge, context: Any) -> Iterator[Problem]:
        yield Problem("limit", "never right")


class Reserved(GaugeRecord):
    """Has a code of Xen's."""

    code = 0x42


@pytest.mark.parametrize(
    ("requirement", "kind", "message"),
    [
        (
            requirements.documentation,
            BareRecord,
            "the record type has no docstring; Bare has no docstring; Bare.value has no doc",
        ),
        (requirements.dependence, Undecided, "`depends` names type code 2457"),
        (requirements.trusted_values, TrustingRecord, "but: seven is wrong"),
        (requirements.trusted_values, Judging, "but: never right"),
        (requirements.type_code, Reserved, "type code 0x42 is reserved for Xen"),
    ],
)
def test_a_type_that_does_not(
    requirement: Callable[[Subject], None], kind: type[RecordType[Any]], message: str
) -> None:
    with pytest.raises(Nonconformity, match=f"{kind.name}: .*{message}"):
        requirement(sample_subject(kind))


class Head(Body):
    """How many bytes follow."""

    follow: int = u32(doc="bytes that follow", maximum=1000)


class BulkRecord(RecordType[Head]):
    """A head of four bytes, and bytes that are not looked at."""

    code, name, body, bulk = 300, "BULK", Head, True

    def extent(self, body: Head) -> int:
        return body.follow

    def prefix(self, head: bytes, byteorder: str) -> int:
        return 4

    def measure(self, head: Any, byteorder: Any) -> int | None:
        size = int.from_bytes(head, byteorder)
        return size if size <= 1000 else None


class WrongPrefix(BulkRecord):
    """Says that its head is shorter."""

    def prefix(self, head: bytes, byteorder: str) -> int:
        return 3


class Raises(BulkRecord):
    """Raises where it looks at bytes."""

    def prefix(self, head: bytes, byteorder: str) -> int:
        raise ZeroDivisionError("mine")


class Lax(BulkRecord):
    """Accepts sizes that are too large."""

    def measure(self, head: Any, byteorder: Any) -> int | None:
        return int.from_bytes(head, byteorder)


class Disagrees(BulkRecord):
    """Measures a byte more than `extent`."""

    def extent(self, body: Head) -> int:
        return body.follow + 1


def test_heads_that_agree() -> None:
    requirements.heads(sample_subject(BulkRecord))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (WrongPrefix, "`prefix`.* 3 .*4 bytes"),
        (Raises, "`prefix` raises ZeroDivisionError: mine"),
        (Lax, "`measure`.* breaks a rule"),
        (Disagrees, "`measure`.* `extent`"),
    ],
)
def test_heads_that_do_not(kind: type[RecordType[Any]], message: str) -> None:
    with pytest.raises(Nonconformity, match=f"BULK: .*{message}"):
        requirements.heads(sample_subject(kind))
