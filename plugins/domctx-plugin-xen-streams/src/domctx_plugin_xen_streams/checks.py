"""The hook that brings the checks, and the one of a domain context inside a stream.

It asks the check of the stream around it for width and version.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from domctx_plugin_shared_info import SharedInfo, SharedInfoFlags

from domctx_core import (
    Check,
    CheckDeclaration,
    Container,
    Problem,
    RecordView,
    Rule,
    Start,
    hookimpl,
)
from domctx_plugin_xen_streams.check_libxc import LibxcCheck
from domctx_plugin_xen_streams.check_libxl import LegacyCheck, LibxlCheck, XlCheck
from domctx_plugin_xen_streams.headers import GuestType
from domctx_plugin_xen_streams.rules import RULES

__all__ = ["InnerContextCheck", "domctx_checks"]


class InnerContextCheck(Check):
    """A domain context in a libxc stream against that stream; any other is left alone."""

    codes: ClassVar[frozenset[int]] = frozenset({1, 2})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        self._stream: LibxcCheck | None = None

    def begin(self, container: Container) -> Iterable[Problem]:
        """Find the stream around the image."""
        if container.outer is not None:
            self._stream = container.outer.find(LibxcCheck)
        return ()

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Compare the Xen version of START, and the layout of SHARED_INFO."""
        stream = self._stream
        if stream is None:
            return
        match seen.body:
            case Start(xen_version=version):
                if stream.xen_version is not None and version != stream.xen_version:
                    yield Problem(
                        "xen-streams/context-version",
                        f"START says Xen {version}, and the libxc stream Xen {stream.xen_version}",
                        0,
                        expected=str(stream.xen_version),
                        actual=str(version),
                    )
            case SharedInfo(flags=flags):
                if stream.guest is not GuestType.X86_PV or stream.guest_width is None:
                    return  # an HVM guest may change its width as it runs
                width = 4 if flags & SharedInfoFlags.COMPAT else 8
                if width != stream.guest_width:
                    yield Problem(
                        "xen-streams/guest-width",
                        f"SHARED_INFO is laid out for words of {width} bytes, and X86_PV_INFO says"
                        f" {stream.guest_width}",
                        0,
                        "flags",
                        expected=f"COMPAT {'set' if stream.guest_width == 4 else 'clear'}",
                        actual=f"COMPAT {'set' if width == 4 else 'clear'}",
                    )


@hookimpl
def domctx_checks() -> list[CheckDeclaration]:
    """Return the checks that this distribution brings."""
    checks = (XlCheck, LibxlCheck, LibxcCheck, LegacyCheck, InnerContextCheck)
    return [CheckDeclaration(check) for check in checks]
