"""Verdicts: every finding of an input, from a walk over it by a verifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.problems import Finding, Severity
from domctx_core.model.check import Check
from domctx_core.model.formats import Formats
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.reader.events import Fault, Opened
from domctx_core.reader.record import Record
from domctx_core.reader.sources import Source
from domctx_core.reader.walker import walk
from domctx_core.verification.batches import BatchValidator
from domctx_core.verification.state import ValidBatch
from domctx_core.verification.verifier import Verifier

if TYPE_CHECKING:
    from domctx_core.base.xen_version import XenVersion
    from domctx_core.host.host import Host

__all__ = ["Verdict", "judge", "verify"]


class Verdict(NamedTuple):
    """The findings of one input, in the order of its bytes.

    `format` is the outermost format's name; `needs_plugin` is true where something could not be
    judged because a plugin could not be used.
    """

    format: str
    findings: tuple[Finding, ...]
    needs_plugin: bool

    @property
    def valid(self) -> bool:
        """Return True if no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def verify(
    source: Source,
    formats: Formats,
    *,
    checks: Iterable[type[Check]] = (),
    receiver: XenVersion | None = None,
    cap: int = DEFAULT_CAP,
    watch: Watch | None = None,
    tell: Callable[[Finding], None] | None = None,
) -> Verdict:
    """Return all findings of an input of any known format.

    `receiver` is the Xen that is to load it. Bodies larger than `cap` bytes are not held. `tell`
    is given each finding as soon as it is made, `watch` hears of each record. Never raises for bad
    bytes.
    """
    verifier = Verifier(checks=checks, receiver=receiver)
    findings: list[Finding] = []
    name = ""

    watched = watch if watch else None
    batcher = BatchValidator(source, cap, verifier.states, watched=watched is not None)
    for event in walk(source, formats, cap=cap, batcher=batcher):
        for finding in verifier.see(event):
            findings.append(finding)
            if tell is not None:
                tell(finding)
        if type(event) is Record:
            if watched is not None:
                watched.see(RecordEvent(event.type, event.instance, event.offset, event.length))
        elif type(event) is ValidBatch:
            if watched is not None:
                watched.see_all(event.events)
        elif not name and isinstance(event, (Opened, Fault)) and event.level is not None:
            name = event.level.path[0]
    return Verdict(name, tuple(findings), verifier.needs_plugin)


def judge(
    source: Source,
    host: Host,
    *,
    receiver: XenVersion | None = None,
    cap: int = DEFAULT_CAP,
    watch: Watch | None = None,
    tell: Callable[[Finding], None] | None = None,
) -> Verdict:
    """Return all findings of an input by the formats and checks of a host, as `verify` does."""
    return verify(
        source,
        host.formats,
        checks=host.checks(),
        receiver=receiver,
        cap=cap,
        watch=watch,
        tell=tell,
    )
