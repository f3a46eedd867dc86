"""Test plugins: standard tests, fake distributions, builders, a runner.

* `conformance`: `RecordTypeConformance`, the tests that every record type must pass
* `dists`: `FakeDists`, distributions that exist for one test
* `images`: `ImageBuilder`, images built record by record
* `runner`: `CommandRunner` and `HookRecorder`, the command in this process
* `plugin`: fixtures for pytest: `domctx_dists`, `domctx_host`, `domctx_image`, `domctx_cli`, `domctx_hooks`

Plugins import these names from here, and no module of this room. Imports what it likes; the only room that
imports pytest. Every run of pytest where `domctx-core` is installed imports this package and `plugin`, so
that they import nothing more until a test uses it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domctx_core.authoring.subject import Subject
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
    "Subject",
    "subject_of",
]

# Every pytest run in the environment imports this package with its pytest plugin: what it does
# not use must not be imported.
_HOMES = {
    "CommandResult": "testing.runner",
    "CommandRunner": "testing.runner",
    "FakeDists": "testing.dists",
    "HookRecorder": "testing.runner",
    "ImageBuilder": "testing.images",
    "RecordTypeConformance": "testing.conformance",
    "Subject": "authoring.subject",
    "subject_of": "testing.conformance",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"domctx_core.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
