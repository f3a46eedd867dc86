"""What a third party writes is checked as strictly as what we write."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from domctx_core.testing import subject_of

HERE = Path(__file__).resolve().parent / "typing"
ROOT = HERE.parent.parent


def mypy(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *map(str, paths)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_plugin_and_a_host_program_outside_of_the_package() -> None:
    done = mypy(HERE / "sample_plugin.py", HERE / "sample_host.py")
    assert done.stdout == "Success: no issues found in 2 source files\n", done.stdout


def test_a_wrong_use_of_the_interface_is_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from domctx_core import Body, Domain, u32\n"
        "class Sample(Body):\n"
        "    value: int = u32()\n"
        "def use(domain: Domain) -> str:\n"
        "    Sample(valeu=3)\n"
        "    return domain.read(Sample).value\n"
    )
    done = mypy(wrong)
    assert 'Unexpected keyword argument "valeu"' in done.stdout
    assert 'Incompatible return value type (got "int", expected "str")' in done.stdout


def test_the_sample_plugin_works_too() -> None:
    spec = importlib.util.spec_from_file_location("sample_plugin", HERE / "sample_plugin.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_plugin"] = module
    spec.loader.exec_module(module)
    subject = subject_of(module.SampleRecord)
    for body in subject.examples():
        assert type(body).from_bytes(body.to_bytes()) == body


def test_the_sample_host_program_runs(tmp_path: Path) -> None:
    capture = ROOT / "examples" / "xen-4.17" / "pv1" / "pv1.save.no-pages"
    done = subprocess.run(
        [sys.executable, HERE / "sample_host.py", capture],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "X86_PV_INFO" in done.stdout
