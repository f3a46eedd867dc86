"""Whether the version of the core that a plugin requires fits this one."""

from __future__ import annotations

import subprocess
import sys

import pytest
from record_modules import point

from domctx_core.host.compatibility import incompatibility
from domctx_core.host.plugin import Status
from domctx_core.testing import FakeDists


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        ("domctx-core", True),
        ("domctx-core>=0.1,<1", True),
        ("domctx-core<1,>=0.1.0", True),
        ("domctx-core>=0.1.1", False),
        ("domctx-core<0.1", False),
        ("domctx-core<0.1.0", False),
        ("domctx-core>=1", False),
        ("domctx-core==0.1.*", True),
        ("domctx-core~=0.2", False),
        ("domctx-core!=0.1.0", False),
        ("Domctx_Core[extra]>=0.1; python_version>'3'", True),
        ("domctx-core>=9; python_version<'3'", True),
        ("domctx-core>=0..1", False),
        ("domctx-plugin-other>=99", True),
    ],
)
def test_what_a_plugin_requires_of_the_core(
    domctx_dists: FakeDists, requirement: str, fits: bool
) -> None:
    domctx_dists.add("asks", entry_points=point(300, "ASKS", "asks_mod"), requires=[requirement])
    plugin = domctx_dists.plugin(domctx_dists.host(), "asks")
    assert plugin.status is (Status.LAZY if fits else Status.INCOMPATIBLE), plugin.reason


def test_the_usual_requirement_is_checked_without_a_library() -> None:
    code = (
        "import sys; from domctx_core import Host; Host();"
        "print('packaging.requirements' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"False\n"


@pytest.mark.parametrize(
    ("requires", "core", "reason"),
    [
        ([], "0.1.0", ""),
        (["click>=8"], "0.1.0", ""),
        (["click", "domctx-core>=0.2"], "0.1.0", "it requires domctx-core>=0.2, but this is 0.1.0"),
        (["domctx-core>=0.1,<1"], "0.2.0.dev1", ""),
        (["domctx-core>=0.1,<1"], "1.0", "it requires domctx-core<1,>=0.1, but this is 1.0"),
        (
            ["domctx core"],
            "0.1.0",
            "its metadata has an invalid requirement: 'domctx core'",
        ),
    ],
)
def test_the_reason(requires: list[str], core: str, reason: str) -> None:
    assert incompatibility(requires, core) == reason
