"""START and END: what they write, and what START reports of versions."""

from __future__ import annotations

import pytest
from support import LoggedDomain, end, registry, start

from domctx_core import DomainError, Errno, MemorySaveOps, Severity, XenVersion, save_domain
from domctx_core.model.builtin import NEWEST_XEN, Start, StartRecord


def reported(
    major: int, minor: int, receiver: XenVersion | None
) -> list[tuple[str, int | None, str | None, Severity | None]]:
    body = Start(xen_major=major, xen_minor=minor)
    problems = StartRecord().judge(0, body, receiver)
    return [(each.rule, each.offset, each.field, each.severity) for each in problems]


def test_a_save_begins_with_the_version_and_ends_with_an_empty_record() -> None:
    domain = LoggedDomain(registry([]))
    domain.xen_version = XenVersion(4, 17)
    ops = MemorySaveOps()
    assert save_domain(domain, ops, domain.registry) == 2
    assert ops.image == start(4, 17) + end()


def test_start_needs_a_version() -> None:
    domain = LoggedDomain(registry([]))
    domain.xen_version = None
    with pytest.raises(DomainError, match="START") as caught:
        save_domain(domain, MemorySaveOps(), domain.registry)
    assert caught.value.errno is Errno.EINVAL


@pytest.mark.parametrize("receiver", [XenVersion(4, 17), None])
def test_a_version_that_the_receiver_has_is_fine(receiver: XenVersion | None) -> None:
    assert reported(4, 17, receiver) == []
    assert reported(3, 99, receiver) == []


@pytest.mark.parametrize(
    ("major", "minor", "offset", "field"), [(5, 0, 0, "xen_major"), (4, 18, 4, "xen_minor")]
)
def test_a_newer_version_is_an_error_for_its_receiver(
    major: int, minor: int, offset: int, field: str
) -> None:
    problem = ("newer-version", offset, field, Severity.ERROR)
    assert reported(major, minor, XenVersion(4, 17)) == [problem]


def test_a_version_newer_than_any_known_is_a_note() -> None:
    newest = NEWEST_XEN
    assert reported(newest.major, newest.minor, None) == []
    ((rule, _, field, severity),) = reported(newest.major, newest.minor + 1, None)
    assert (rule, field, severity) == ("newer-version", "xen_minor", Severity.NOTE)
