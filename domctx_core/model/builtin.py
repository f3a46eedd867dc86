"""START and END, the two record types that the core ships.

They use what any plugin has: a body, a record type, and the context that handlers get.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from domctx_core.base.errors import DomainError, Errno
from domctx_core.base.problems import Problem, Severity
from domctx_core.base.xen_version import XenVersion
from domctx_core.layout.body import Body, Empty
from domctx_core.layout.specifiers import u32
from domctx_core.model.attributes import SINGLE, Instances
from domctx_core.model.format import DomainContext
from domctx_core.model.record_type import LoadContext, RecordType, SaveContext

if TYPE_CHECKING:
    from domctx_core.model.domain import Domain

__all__ = ["NEWEST_XEN", "DomainContext", "EndRecord", "Start", "StartRecord"]

NEWEST_XEN = XenVersion(4, 22)
"""The newest release when this was written; an image that claims a newer one is worth a note."""


class Start(Body):
    """The start of an image: the Xen version that wrote it. Its type code, 1, is the format version."""

    xen_major: int = u32(doc="major version of the Xen that saved")
    xen_minor: int = u32(doc="minor version of the Xen that saved")

    @property
    def xen_version(self) -> XenVersion:
        """The version that saved, which can be compared."""
        return XenVersion(self.xen_major, self.xen_minor)


class StartRecord(RecordType[Start]):
    """The first record of every image."""

    code = 1
    name = "START"
    body = Start
    instances: ClassVar[Instances] = SINGLE
    rules: ClassVar[dict[str, str]] = {"instance-not-allowed": "start-instance"}

    def save(self, domain: Domain, context: SaveContext) -> None:
        """Write the version of the Xen that saves."""
        version = context.xen_version
        if version is None:
            raise DomainError(
                "the Xen version of the domain is unknown, and START needs it",
                errno=Errno.EINVAL,
                hint="give the version, as in `--xen 4.17`",
            )
        context.write(0, Start(xen_major=version.major, xen_minor=version.minor))

    def judge(
        self, instance: int | None, body: Start, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Report an image from a Xen newer than the receiver; without one, than any known Xen."""
        limit = receiver or NEWEST_XEN
        if body.xen_version > limit:
            known = "" if receiver else ", the newest version that this domctx knows"
            yield Problem(
                "newer-version",
                f"the image was saved by Xen {body.xen_version}, newer than {limit}{known}",
                0 if body.xen_major > limit.major else 4,
                "xen_major" if body.xen_major > limit.major else "xen_minor",
                expected=f"at most {limit}",
                actual=str(body.xen_version),
                severity=Severity.ERROR if receiver else Severity.NOTE,
            )

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Check the version; the domain does not change."""
        context.read(self)


class EndRecord(RecordType[Empty]):
    """The last record of every image."""

    code = 0
    name = "END"
    body = Empty
    instances: ClassVar[Instances] = SINGLE
    rules: ClassVar[dict[str, str]] = {
        "instance-not-allowed": "end-instance",
        "body-not-consumed": "end-length",
    }

    def save(self, domain: Domain, context: SaveContext) -> None:
        """Write the terminator."""
        context.write(0, Empty())

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Check that its body is empty; the domain does not change."""
        context.read(self)
