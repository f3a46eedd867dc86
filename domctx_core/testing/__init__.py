"""The test kit for authors of plugins: conformance tests, fake distributions, builders, a runner.

Where `domctx-core` is installed, pytest has its fixtures (`domctx_dists`, `domctx_host`, `domctx_image`,
`domctx_cli`, `domctx_hooks`). The classes here are what they give.
"""

from domctx_core.testing.conformance import RecordTypeConformance, subject_of
from domctx_core.testing.dists import FakeDists
from domctx_core.testing.images import ImageBuilder
from domctx_core.testing.runner import CommandResult, CommandRunner, HookRecorder

__all__ = [
    "CommandResult",
    "CommandRunner",
    "FakeDists",
    "HookRecorder",
    "ImageBuilder",
    "RecordTypeConformance",
    "subject_of",
]
