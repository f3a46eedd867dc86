"""What must not surprise: plugins that are off, copies that cannot be written, inputs named twice."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from domctx_core.testing import CommandRunner, FakeDists

pytest.importorskip("domctx_plugin_xen_streams")

DATA = Path(__file__).parents[1] / "plugins" / "domctx-plugin-xen-streams" / "tests" / "data"
PV, HVM = DATA / "pv1.save.no-pages", DATA / "hvm1.save.no-pages"
STREAMS_OFF = ("-p", "no:domctx-plugin-xen-streams")
HVM_OFF = ("-p", "no:domctx-plugin-hvm-context")


def record(type: int, body: bytes = b"") -> bytes:
    return struct.pack("<II", type, len(body)) + body + bytes(-len(body) % 8)


def libxc(*records: bytes) -> bytes:
    head = struct.pack(">QIIH6x", 2**64 - 1, 0x58454E46, 3, 0) + struct.pack(
        "<IHHII", 2, 12, 0, 4, 17
    )
    return head + b"".join(records) + record(0)


# ------------------------------------------------------------- the checks of streams that are saved


def test_a_stream_that_a_cross_check_refuses_is_not_saved(
    domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    source, image = tmp_path / "twice", tmp_path / "image"
    tsc = record(8, struct.pack("<IIQII", 0, 1, 2, 3, 0))
    source.write_bytes(libxc(record(16), tsc, tsc, record(10, bytes(8)), record(9, bytes(8))))
    saved = domctx_cli("save", f"stream:{source}", "-o", image)
    assert saved.status == 1
    assert (
        "error[xen-streams/duplicate-record]: X86_TSC_INFO stands in the stream a second"
        in saved.err
    )
    assert not image.exists()
    loaded = domctx_cli("load", PV, f"stream:{source},out={image}")
    assert (loaded.status, image.exists()) == (1, False)
    assert "xen-streams/duplicate-record" in loaded.err


@pytest.mark.parametrize("name", ["pv1", "pv2l", "pvh1", "hvm1"])
def test_the_captures_pass_the_checks(name: str, domctx_cli: CommandRunner, tmp_path: Path) -> None:
    saved = domctx_cli("save", f"stream:{DATA / name}.save.no-pages", "-o", tmp_path / "image")
    assert saved.status == 0, saved.err


# -------------------------------------------------------------------- a copy that cannot be written


@pytest.fixture
def image(domctx_cli: CommandRunner, tmp_path: Path) -> Path:
    path = tmp_path / "image"
    assert domctx_cli("-q", "save", f"stream:{PV}", "-o", path).status == 0
    return path


@pytest.mark.parametrize("validate", [(), ("--no-validate",)])
@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("/dev/full", "No space left on device"),
        ("{folder}/none/copy", "No such file or directory"),
        ("{folder}", "Is a directory"),
        ("{folder}/image/copy", "Not a directory"),
    ],
)
def test_a_load_whose_copy_cannot_be_written_does_not_say_that_it_loaded(
    out: str,
    why: str,
    validate: tuple[str, ...],
    domctx_cli: CommandRunner,
    image: Path,
    tmp_path: Path,
) -> None:
    before = sorted(tmp_path.iterdir())
    target = out.format(folder=tmp_path)
    run = domctx_cli("load", *validate, image, f"stream:{PV},out={target}")
    assert run.status == 3
    assert why in run.err
    assert "loaded" not in run.err
    assert run.err.count("error") == 1
    assert sorted(tmp_path.iterdir()) == before


WITNESS = """
from domctx_core import Observer, ObserverDeclaration, hookimpl

class Witness(Observer):
    def end(self, operation, error):
        with open({log!r}, "a") as file:
            print(operation.kind, type(error).__name__, file=file)

@hookimpl
def domctx_observers():
    return [ObserverDeclaration(Witness)]
"""

VAULT = """
from domctx_core import Domain, InputOutputError

class Vault(Domain):
    def write(self, body, instance, value): pass
    def pause(self): pass
    def unpause(self): pass
    def abandon(self): print("abandoned")
    def close(self): raise InputOutputError("the vault is full")

def open_vault(request):
    return Vault()
"""


def test_observers_hear_of_a_domain_that_cannot_keep_what_it_took(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    log, image = tmp_path / "log", tmp_path / "image"
    domctx_dists.add(
        "domctx-plugin-witness",
        modules={"witness": WITNESS.format(log=str(log)), "vault": VAULT},
        entry_points={
            "domctx.plugins": {"witness": "witness"},
            "domctx.domains": {"vault": "vault:open_vault"},
        },
    )
    assert domctx_cli("save", "sim:seed=1", "-o", image).status == 0
    run = domctx_cli("load", image, "vault:")
    assert (run.status, run.out) == (3, "")
    assert "the vault is full" in run.err
    assert "loaded" not in run.err
    assert log.read_text().split("\n")[:2] == ["save NoneType", "load InputOutputError"]


# --------------------------------------------------------------------------- plugins that are off


def test_what_could_not_be_tried_is_named(domctx_cli: CommandRunner) -> None:
    shown = domctx_cli(*STREAMS_OFF, "show", PV)
    first, note = shown.out.splitlines()[0], shown.out[shown.out.index("note[") :]
    assert (
        "no known format; read as domain context (not tried: libxc, libxc-legacy, libxl, xl)"
        in first
    )
    assert "libxc, libxc-legacy, libxl, xl (domctx-plugin-xen-streams" in note
    assert "disabled: by -p no:domctx-plugin-xen-streams" in note
    verdict = domctx_cli(*STREAMS_OFF, "verify", "--json", PV)
    finding = verdict.json["images"][0]["findings"][0]
    assert (finding["rule"], finding["severity"], finding["offset"]) == ("needs-plugin", "note", 0)
    assert "domctx-plugin-xen-streams" in finding["message"]
    assert verdict.status == 1


def test_nothing_is_named_where_a_format_fits_or_none_is_off(
    domctx_cli: CommandRunner, image: Path, tmp_path: Path
) -> None:
    assert "tried" not in domctx_cli(*STREAMS_OFF, "show", image).out
    (tmp_path / "noise").write_bytes(b"\xa5" * 100)
    assert "tried" not in domctx_cli("show", tmp_path / "noise").out
    assert "tried" in domctx_cli(*STREAMS_OFF, "show", tmp_path / "noise").out
    (tmp_path / "empty").write_bytes(b"")
    assert "tried" not in domctx_cli(*STREAMS_OFF, "verify", tmp_path / "empty").out


def test_a_format_whose_import_fails_is_named_too(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    domctx_dists.add(
        "domctx-plugin-snap",
        modules={"snap": "raise OSError('no such luck')"},
        entry_points={"domctx.formats": {"snap": "snap:Snap"}},
    )
    (tmp_path / "noise").write_bytes(b"\xa5" * 100)
    verdict = domctx_cli("verify", tmp_path / "noise")
    assert "could not be tried: snap (domctx-plugin-snap" in verdict.out
    assert "no such luck" in verdict.out
    assert verdict.status == 1


def test_a_stream_without_the_plugin_for_what_is_inside(
    domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    pytest.importorskip("domctx_plugin_hvm_context")
    for verb in ("show", "verify"):
        run = domctx_cli(*HVM_OFF, verb, HVM)
        assert run.status == 4
        finding = run.out[run.out.index("error[needs-plugin]") :].split("\n\n")[0]
        assert "domctx-plugin-hvm-context" in finding
        assert "is disabled: by -p no:domctx-plugin-hvm-context" in finding
        assert "HVM_CONTEXT" in finding
        assert "expected: the format hvm-context" in finding
        assert "EMULATOR_CONTEXT" in run.out or verb == "verify"
    document = domctx_cli(*HVM_OFF, "show", "--json", HVM).json
    records = document["content"]["records"][0]["content"]["records"]
    (context,) = [each for each in records if each["name"] == "HVM_CONTEXT"]
    assert len(context["body"]["context"]) == 2 * context["length"]
    assert records[-1]["name"] == "END"


def test_who_does_not_need_it_does_without(domctx_cli: CommandRunner, tmp_path: Path) -> None:
    pytest.importorskip("domctx_plugin_hvm_context")
    image, copy, other = tmp_path / "image", tmp_path / "copy", tmp_path / "other"
    runs = [
        (0, ("save", f"stream:{HVM}", "-o", image)),
        (0, ("load", image, f"stream:{HVM},out={copy}")),
        (0, ("convert", "--to", "4", HVM, "-o", other)),
        (0, ("convert", "--extract", "hvm-context", HVM, "-o", tmp_path / "hvm")),
        (4, ("convert", "--insert", tmp_path / "hvm", HVM, "-o", tmp_path / "never")),
        (4, ("save", "stream:nowhere", "-o", image)),
    ]
    for status, arguments in runs[:-1]:
        run = domctx_cli(*HVM_OFF, *arguments)
        assert run.status == status, run.err
    assert copy.stat().st_size == HVM.stat().st_size
    assert not (tmp_path / "never").exists()
    status, arguments = runs[-1]
    run = domctx_cli(*STREAMS_OFF, *arguments)
    assert run.status == status
    assert "remove the switch" in run.err


# ----------------------------------------------------------------------------- inputs and their errno


def test_standard_input_is_read_once(domctx_cli: CommandRunner) -> None:
    run = domctx_cli("verify", "-", PV, "-")
    assert (run.status, run.out) == (2, "")
    assert "named more than once" in run.err


@pytest.mark.parametrize("verb", ["show", "verify"])
@pytest.mark.parametrize(
    ("path", "errno"),
    [
        ("{folder}", "EISDIR (21)"),
        ("{folder}/file/inside", "ENOTDIR (20)"),
        ("{folder}/none", "ENOENT (2)"),
        ("{folder}/" + "x" * 300, "ENAMETOOLONG (36)"),
    ],
)
def test_what_the_system_says_is_passed_on(
    verb: str, path: str, errno: str, domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    run = domctx_cli(verb, path.format(folder=tmp_path))
    assert run.status == 3
    assert f"errno: {errno}" in run.err


def test_json_names_the_errno(domctx_cli: CommandRunner, tmp_path: Path) -> None:
    run = domctx_cli("verify", "--json", tmp_path)
    assert run.status == 3
    assert json.loads(run.out)["images"][0]["error"].endswith("Is a directory")
