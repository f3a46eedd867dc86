"""A plugin without faults, and variants of it, for the tests of `domctx plugins`."""

from __future__ import annotations

from collections.abc import Mapping

from domctx_core.testing import FakeDists

TYPES = "domctx.record_types"


DIST = "domctx-plugin-sample"


PACKAGE = "domctx_plugin_sample"


SAMPLE = '''
from enum import IntEnum
from domctx_core import Body, Check, CheckDeclaration, RecordType, SINGLE, hookimpl, reserved, u32

class Sample(Body):
    """A sample."""
    value: int = u32(doc="a number", unit="ms", maximum=100)
    rest: None = reserved(4)

class SampleRecord(RecordType[Sample]):
    """One record a domain."""
    code, name, body, instances = 0x1234, "SAMPLE", Sample, SINGLE

class Nothing(Check):
    """It finds nothing."""
    rules = ()

@hookimpl
def domctx_checks():
    return [CheckDeclaration(Nothing)]
'''


METADATA = {
    "Summary": "a sample",
    "License-Expression": "MIT",
    "License-File": "LICENSE",
    "Requires-Python": ">=3.11",
    "Keywords": "xen,domctx-plugin",
}


POINTS = {TYPES: {"0x1234.SAMPLE": f"{PACKAGE}:SampleRecord"}}


def add_sample(
    dists: FakeDists,
    source: str = SAMPLE,
    *,
    points: Mapping[str, Mapping[str, str]] = POINTS,
    requires: tuple[str, ...] = ("domctx-core>=0.1,<1",),
    without: str = "",
    typed: bool = True,
    licence: bool = True,
    folder: str = "site",
    version: str = "1.0",
) -> None:
    """Add the sample plugin, faultless but for what the arguments say."""
    files = {f"{PACKAGE}/__init__.py": source}
    if typed:
        files[f"{PACKAGE}/py.typed"] = ""
    metadata = {key: value for key, value in METADATA.items() if key != without}
    info = dists.add(
        DIST, version, points, requires=requires, metadata=metadata, files=files, folder=folder
    )
    if licence:
        (info / "licenses").mkdir()
        (info / "licenses" / "LICENSE").write_text("MIT License")
