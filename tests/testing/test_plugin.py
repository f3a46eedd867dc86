"""The fixtures that pytest has where domctx-core is installed."""

from __future__ import annotations

import subprocess
import sys


def test_a_pytest_run_that_does_not_use_the_kit_imports_none_of_it() -> None:
    code = "import sys, domctx_core.testing.plugin; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )  # fmt: skip
    ours = {name for name in done.stdout.split() if name.partition(".")[0] == "domctx_core"}
    assert ours == {"domctx_core", "domctx_core.testing", "domctx_core.testing.plugin"}
