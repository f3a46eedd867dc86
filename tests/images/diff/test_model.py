"""The differences as JSON: all keys are documented."""

from __future__ import annotations

import re
from pathlib import Path

from compared_images import PV1, UNKNOWN, Make, image, tsc, without_vcpu
from environments import ROOT

from domctx_core.testing import CommandRunner


def test_the_keys_of_the_document_are_documented(
    domctx_cli: CommandRunner, file: Make, tmp_path: Path
) -> None:
    page = (ROOT / "docs/reference/json.md").read_text()
    section = next(part for part in page.split("\n## ") if part.startswith("`domctx.diff/1`"))
    named = set(re.findall(r"`(\w+)`", section))
    bits = bytearray(8 + 3136)
    bits[8 + 2048] = 1
    a = image().record(2, 0, bytes(8 + 3136)).record(3, 0, tsc()).record(UNKNOWN, 1, b"x")
    b = image().record(3, 0, tsc(1)).record(2, 0, bytes(bits)).record(UNKNOWN, 1, b"y")
    used: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            used.update(value)
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(domctx_cli("diff", "--json", file("a", a), file("b", b)).json)
    look(domctx_cli("diff", "--json", PV1, file("b", image())).json)
    look(domctx_cli("diff", "--json", PV1, without_vcpu(domctx_cli, tmp_path)).json)
    assert used - {"schema"} <= named
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*)\|", section, re.M))))
    assert rows - used <= {"parts"}
