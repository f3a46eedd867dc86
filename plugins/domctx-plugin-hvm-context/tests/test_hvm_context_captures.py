"""Real contexts: every byte accounted for, and the values that Xen's own tools printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hvm_context_support import (
    CAPTURES,
    CONTEXTS,
    DATA,
    capture,
    entry_points,
    events_of,
    facts,
    findings_of,
    leaves,
    make_formats,
    records_of,
)

from domctx_core import BufferSource, Closed, Opened, Record, verify
from domctx_core.testing import CommandRunner, FakeDists

FIRST_HVM_CONTEXT = {"pvh1": 0x8CC, "hvm1": 0xA17}
"""Offset of the HVM_CONTEXT record in a save file."""


def bodies(data: bytes) -> dict[tuple[str, int], Any]:
    """The bodies of a context by name and instance."""
    found = {}
    for record in records_of(data):
        assert record.decoded is not None
        found[str(record.name), record.instance or 0] = record.decoded.body
    return found


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_is_recognised_and_valid(name: str) -> None:
    verdict = verify(BufferSource(capture(name)), make_formats())
    assert (verdict.format, verdict.findings) == ("hvm-context", ())
    assert findings_of(capture(name)) == []


@pytest.mark.parametrize("name", CONTEXTS)
def test_every_body_gives_its_bytes_back(name: str) -> None:
    data, at = capture(name), 0
    for record in records_of(data):
        assert record.offset == at
        assert record.padding == 0
        assert record.decoded is not None
        body: Any = record.decoded.body
        assert record.decoded.problems == ()
        assert record.decoded.consumed == record.length
        assert body.to_bytes() == bytes(record.raw())
        again = type(body).from_json(body.to_json())
        assert again == body
        assert again.to_bytes() == bytes(record.raw())
        at = record.end
    assert at == len(data)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_records_are_those_that_another_program_walked(name: str) -> None:
    known = facts(name)["hvmctx"]
    data = capture(f"{name}.hvmctx")
    found = [[record.type, record.instance, record.length] for record in records_of(data)]
    assert found == known["records"]
    assert len(data) == known["size_got"] == known["consumed"]


@pytest.mark.parametrize("name", CAPTURES)
def test_the_values_are_those_read_in_the_same_pause(name: str) -> None:
    known, found = facts(name), bodies(capture(f"{name}.hvmctx"))
    assert found["HEADER", 0].gtsc_khz == known["tsc"]["khz"]
    up = {vcpu["vcpu"] for vcpu in known["vcpus"] if vcpu["online"]}
    assert {instance for kind, instance in found if kind == "CPU"} == up
    # the guest's TSC has run since its start at that frequency, as its elapsed time has
    elapsed = found["CPU", 0].tsc / found["HEADER", 0].gtsc_khz * 1_000_000
    assert elapsed > 10**10
    assert abs(elapsed - known["tsc"]["elapsed_nsec"]) < 10**10


def test_the_emulated_devices_of_the_hvm_guest() -> None:
    found = bodies(capture("hvm1.hvmctx"))
    master, slave = found["PIC", 0], found["PIC", 1]
    assert master.to_json()["modes"] == ["AUTO_EOI", "MASTER"]
    assert slave.to_json()["modes"] == []
    assert (master.irq_base, slave.irq_base) == (0x30, 0x38)
    ioapic = found["IOAPIC", 0]
    assert ioapic.base_address == 0xFEC00000
    assert [pin for pin, entry in enumerate(ioapic.redirtbl) if not entry.mask] == [1, 2, 8, 12]
    assert found["PIT", 0].channels[0].count == 65536
    # the clock is in BCD, 24 hours: it read 16:22:03 on the 22nd of November 2026
    rtc = found["RTC", 0]
    assert (rtc.hours, rtc.minutes, rtc.seconds) == (0x16, 0x22, 0x03)
    assert (rtc.day_of_month, rtc.month, rtc.year) == (0x22, 0x11, 0x26)
    # 62.5 MHz: 16 ns, in femtoseconds in the upper half of the capabilities
    assert found["HPET", 0].capability >> 32 == 16_000_000
    assert found["MTRR", 0].fixed.fix16k_a0000 == 0x0101010101010101


# ---------------------------------------------------------------------------- against xen-hvmctx

_REGISTERS = re.compile(r"\b(r[a-z0-9]{1,2}|rflags|cr\d|dr\d)\s+0x([0-9a-f]{16})\b")
_SEGMENT = re.compile(
    r"\s*(cs|ds|es|fs|gs|ss|tr|ldtr)\s+(?:0x)?(\w+) \(\s*(?:0x)?(\w+) \+\s*(?:0x)?(\w+)"
    r" /\s*(?:0x)?(\w+)\)"
)
_TABLE = re.compile(r"\s*(idtr|gdtr)\s+\(\s*(?:0x)?(\w+) \+\s*(?:0x)?(\w+)\)")
_NAMED = {
    "magic": "magic", "version": "version", "Xen changeset": "changeset",
    "CPUID[0][%eax]": "cpuid", "gtsc_khz": "gtsc_khz",
    "sysenter cs": "sysenter_cs", "eip": "sysenter_eip", "esp": "sysenter_esp",
    "shadow gs": "shadow_gs", "efer": "msr_efer", "lstar": "msr_lstar", "cstar": "msr_cstar",
    "star": "msr_star", "sfmask": "msr_syscall_mask", "tsc": "tsc", "event": "pending_event",
    "error": "error_code", "fcw": "fpu.fcw", "fsw": "fpu.fsw", "ftw": "fpu.ftw", "fop": "fpu.fop",
    "fpuip": "fpu.fip", "fpudp": "fpu.fdp", "mxcsr": "fpu.mxcsr", "mask": "fpu.mxcsr_mask",
    "base_msr": "apic_base_msr", "disabled": "disabled", "timer_divisor": "timer_divisor",
    "PAT": "msr_pat_cr", "cap": "msr_mtrr_cap", "default": "msr_mtrr_def_type",
    "VMCE_VCPU: caps": "caps", "bank0 mci_ctl2": "mci_ctl2_bank0",
    "bank1 mci_ctl2": "mci_ctl2_bank1", "TSC_ADJUST: tsc_adjust": "tsc_adjust",
    "PCI IRQs:": "asserted", "ISA IRQs:": "asserted",
}  # fmt: skip
_DECIMAL = {"version", "gtsc_khz"}
_VALUE = re.compile(
    r"(?<![\w%])(" + "|".join(map(re.escape, sorted(_NAMED, key=len, reverse=True))) + r")"
    r"\s+(?:0x)?([0-9a-f]+)\b"
)
_LAPIC_REGISTERS = {
    0x20: "apic_id", 0x30: "version", 0x80: "tpr", 0x90: "apr", 0xA0: "ppr", 0xB0: "eoi",
    0xC0: "rrd", 0xD0: "ldr", 0xE0: "dfr", 0xF0: "spiv", 0x280: "esr", 0x2F0: "lvt_cmci",
    0x300: "icr", 0x310: "icr2", 0x320: "lvt_timer", 0x330: "lvt_thermal", 0x340: "lvt_pmc",
    0x350: "lvt_lint0", 0x360: "lvt_lint1", 0x370: "lvt_error", 0x380: "timer_initial",
    0x390: "timer_current", 0x3E0: "timer_divide", 0x3F0: "self_ipi",
    **{start + 16 * i: f"{name}[{i}].vectors"
       for start, name in ((0x100, "isr"), (0x180, "tmr"), (0x200, "irr")) for i in range(8)},
}  # fmt: skip


def printed() -> dict[tuple[int, int], dict[str, int]]:
    """What xen-hvmctx printed, by type and instance, under the names of our fields."""
    found: dict[tuple[int, int], dict[str, int]] = {}
    values: dict[str, int] = {}
    for line in (DATA / "pvh1.xen-hvmctx.txt").read_text().splitlines():
        if entry := re.match(r"Entry \d+: type (\d+) instance (\d+), length \d+", line):
            values = found.setdefault((int(entry[1]), int(entry[2])), {})
        elif segment := _SEGMENT.match(line):
            name, *numbers = segment.groups()
            for part, number in zip(
                ("selectors", "bases", "limits", "attributes"), numbers, strict=True
            ):
                values[f"{part}.{name}"] = int(number, 16)
        elif table := _TABLE.match(line):
            values[f"bases.{table[1]}"] = int(table[2], 16)
            values[f"limits.{table[1]}"] = int(table[3], 16)
        elif st := re.match(r"\s*mm(\d) 0x(\w{4})(\w{16}) \(0x(\w+)\)", line):
            values[f"fpu.st[{st[1]}].exponent"] = int(st[2], 16)
            values[f"fpu.st[{st[1]}].mantissa"] = int(st[3], 16)
        elif xmm := re.match(r"\s*xmm(\d\d) 0x(\w{16})(\w{16})", line):
            values[f"fpu.xmm[{int(xmm[1])}].high"] = int(xmm[2], 16)
            values[f"fpu.xmm[{int(xmm[1])}].low"] = int(xmm[3], 16)
        elif rest := re.match(r"\s*\(0x(\w{32})\)", line):
            values["rest"] = values.get("rest", 0) << 128 | int(rest[1], 16)
        elif registers := re.findall(r"0x(\w{3}): 0x(\w{8})", line):
            for number, value in registers:
                values[f"register {int(number, 16):#05x}"] = int(value, 16)
        elif var := re.match(r"\s*var (\d)\s+(\w+)\s+(\w+)", line):
            values[f"variable[{var[1]}].base"] = int(var[2], 16)
            values[f"variable[{var[1]}].mask"] = int(var[3], 16)
        elif fixed := re.match(r"\s*fixed (\w\w)\s+(\w+)", line):
            values[f"fixed {int(fixed[1], 16)}"] = int(fixed[2], 16)
        elif links := re.match(r"\s*PCI LINK: (\d+) (\d+) (\d+) (\d+)", line):
            values |= {f"route[{i}]": int(link) for i, link in enumerate(links.groups())}
        else:
            values |= {name: int(number, 16) for name, number in _REGISTERS.findall(line)}
            for name, number in _VALUE.findall(line):
                values[_NAMED[name]] = int(number, 10 if name in _DECIMAL else 16)
    return found


def shown(body: Any) -> dict[str, int]:
    """The fields of a body under the names that `printed` uses."""
    values = dict(leaves(body))
    name = type(body).__name__
    if name == "Cpu":
        rest = values.pop("fpu.rest")
        rows = [int.from_bytes(rest[at : at + 16], "little") for at in range(0, 96, 16)]
        values["rest"] = sum(row << 128 * (5 - number) for number, row in enumerate(rows))
        # xen-hvmctx does not print these
        for path in [p for p in values if p.endswith(".unused")]:
            assert not any(values.pop(path))
        for path in ("msr_flags", "msr_tsc_aux"):
            assert values.pop(path) == 0
        assert values.pop("fpu_state.flags") == 1
    if name == "LapicRegs":
        values = {
            f"register {number:#05x}": values.get(_LAPIC_REGISTERS.get(number, ""), 0)
            for number in range(0, 0x400, 16)
        }
    if name == "Lapic":
        assert values.pop("tdt_msr") == 0
    if name == "Mtrr":
        fixed = [path for path in values if path.startswith("fixed.")]
        values |= {f"fixed {number}": values.pop(path) for number, path in enumerate(fixed)}
    if name == "VmceVcpu":
        assert values.pop("mcg_ext_ctl") == 0
    return values


MOVED = {
    (2, 0): {"rdi", "rflags", "r8", "r9", "tsc"},
    (2, 1): {"rcx", "rdi", "r8", "r9", "r10", "tsc"},
}
"""What the guest, which ran on, changed between the capture and xen-hvmctx's look a moment later:
registers of its idle loop on both vCPUs, and the TSC."""


def test_every_field_is_what_xen_hvmctx_printed() -> None:
    theirs = printed()
    moved: dict[tuple[int, int], set[str]] = {}
    count = 0
    for record in records_of(capture("pvh1.hvmctx")):
        key = record.type, record.instance or 0
        assert record.decoded is not None
        ours = shown(record.decoded.body)
        assert ours.keys() == theirs[key].keys()
        count += len(ours)
        different = {path for path, value in ours.items() if theirs[key][path] != value}
        if different:
            moved[key] = different
        if "tsc" in different:
            assert theirs[key]["tsc"] > ours["tsc"]
    assert count > 400
    assert moved == MOVED


# ------------------------------------------------------------------------- through the command


def add_distributions(dists: FakeDists, *names: str) -> None:
    """Distributions with the entry points that ours really declare, and no others."""
    plugins = Path(__file__).parents[2]
    for name in names:
        project = plugins / name
        if not project.is_dir():
            pytest.skip(f"{name} is not here")
        dists.add(name, "0.1.0", entry_points(project))


@pytest.fixture
def alone(domctx_dists: FakeDists, domctx_cli: CommandRunner) -> CommandRunner:
    """The command with this distribution."""
    add_distributions(domctx_dists, "domctx-plugin-hvm-context")
    return domctx_cli


@pytest.fixture
def with_streams(domctx_dists: FakeDists, domctx_cli: CommandRunner) -> CommandRunner:
    """The command with this distribution and the streams of the toolstack."""
    pytest.importorskip("domctx_plugin_xen_streams")
    add_distributions(domctx_dists, "domctx-plugin-hvm-context", "domctx-plugin-xen-streams")
    return domctx_cli


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_command_verifies_a_bare_context(alone: CommandRunner, name: str) -> None:
    path = DATA / f"{name}.bin"
    result = alone("verify", path)
    assert (result.status, result.out) == (0, f"{path}: valid hvm-context\n")


@pytest.mark.parametrize("name", CAPTURES)
def test_the_command_shows_a_bare_context(alone: CommandRunner, name: str) -> None:
    result = alone("show", "--json", DATA / f"{name}.hvmctx.bin")
    assert result.status == 0
    image = result.json
    assert (image["format"], image["format_version"]) == ("hvm-context", 1)
    assert image["findings"] == []
    found = [[each["type"], each["instance"], each["length"]] for each in image["records"]]
    assert found == facts(name)["hvmctx"]["records"]
    for each in image["records"]:
        assert each["body"] is not None
        assert "raw" not in each
        assert each["provider"]["dist"] == "domctx-plugin-hvm-context"


def test_a_register_can_be_searched_for(alone: CommandRunner) -> None:
    result = alone("show", "--type", "CPU", "--instance", "0", DATA / "pvh1.hvmctx.bin")
    lines = [line.split() for line in result.out.splitlines()]
    assert [line for line in lines if "rdx" in line] == [["rdx", "0x4000000000000000"]]
    assert ["segment", "tr", "selector", "0x0040,", "base", "0xfffffe0000003000,"] in [
        line[:6] for line in lines
    ]


@pytest.mark.parametrize("name", CAPTURES)
def test_a_save_file_holds_the_context(with_streams: CommandRunner, name: str) -> None:
    path = DATA / f"{name}.save.no-pages"
    result = with_streams("verify", "--json", path)
    assert result.status == 0
    (image,) = result.json["images"]
    own = [f for f in image["findings"] if not f["rule"].startswith("xen-streams/")]
    assert (image["valid"], own) == (True, [])

    alone = with_streams("show", "--json", DATA / f"{name}.saved-hvmctx.bin").json
    lines = with_streams("show", "--jsonl", path).jsonl
    inside = [line for line in lines if line.get("container", [])[-1:] == ["hvm-context"]]
    head, *records = inside
    assert head["byteorder"] == "little"
    for ours, theirs in zip(records, alone["records"], strict=True):
        for key in ("type", "instance", "length", "name", "body"):
            assert ours[key] == theirs[key]


@pytest.mark.parametrize("name", CAPTURES)
def test_a_save_file_is_valid_for_those_without_this_plugin(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, name: str
) -> None:
    pytest.importorskip("domctx_plugin_xen_streams")
    add_distributions(domctx_dists, "domctx-plugin-xen-streams")
    path = DATA / f"{name}.save.no-pages"
    result = domctx_cli("verify", "--json", path)
    (image,) = result.json["images"]
    assert (result.status, image["valid"]) == (0, True)
    (note,) = [f for f in image["findings"] if not f["rule"].startswith("xen-streams/")]
    assert (note["rule"], note["severity"]) == ("needs-plugin", "note")
    assert note["offset"] == FIRST_HVM_CONTEXT[name]
    assert "hvm-context" in note["message"]
    shown = domctx_cli("show", "--json", "--type", "HVM_CONTEXT", path).json
    record = shown
    while "content" in record:
        record = record["content"]
        record = record["records"][0] if record["records"] else record
    assert record["name"] == "HVM_CONTEXT"
    assert record["body"]["context"] == capture(f"{name}.saved-hvmctx").hex()
    assert "content" not in record


def test_the_events_open_and_close_one_container() -> None:
    events = events_of(capture("pvh1.hvmctx"))
    assert isinstance(events[0], Opened)
    assert isinstance(events[-1], Closed)
    assert sum(isinstance(event, Record) for event in events) == len(events) - 2 == 17
