"""START and END, the two record types that the core ships.

They use only what any plugin has: a body, a record type, and the context that handlers get.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from domctx_core.domains import XenVersion
from domctx_core.errors import DomainError, Errno
from domctx_core.layout import Body, Empty, u32
from domctx_core.records import SINGLE, Instances, RecordType
from domctx_core.rules import Problem, Severity

if TYPE_CHECKING:
    from domctx_core.context import LoadContext, SaveContext
    from domctx_core.domains import Domain

__all__ = ["EndRecord", "Start", "StartRecord"]


class Start(Body):
    """Begins an image and says which Xen wrote it; its type code stands for format version 1."""

    xen_major: int = u32(doc="major version of the Xen that saved")
    xen_minor: int = u32(doc="minor version of the Xen that saved")

    @property
    def xen_version(self) -> XenVersion:
        """Both numbers as a version that compares."""
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
                "the domain does not say which Xen it runs on, and START must",
                errno=Errno.EINVAL,
                hint="give the version, as in `--xen 4.17`",
            )
        context.write(0, Start(xen_major=version.major, xen_minor=version.minor))

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Refuse an image from a Xen newer than the one that receives it."""
        _, start = context.read(self)
        target = context.xen_version
        if target is not None and start.xen_version > target and not context.allow_newer:
            context.refuse(
                Problem(
                    "newer-version",
                    f"the image was saved by Xen {start.xen_version}, newer than {target}",
                    0,
                    "xen_major" if start.xen_major > target.major else "xen_minor",
                    expected=f"at most {target}",
                    actual=str(start.xen_version),
                    severity=Severity.ERROR,
                )
            )


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
        """Check that it is bare; nothing goes to the domain."""
        context.read(self)
