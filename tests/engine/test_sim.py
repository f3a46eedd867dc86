"""Parameters of `sim:`, and when state is simulated."""

from __future__ import annotations

from pathlib import Path

import pytest
from sim_records import knob, loaded, made_up, opened

from domctx_core import (
    Errno,
    Guest,
    InputOutputError,
    UsageError,
    XenVersion,
)


def test_defaults() -> None:
    domain = opened("")
    assert (domain.domid, domain.xen_version) == (1, XenVersion(4, 17))
    assert domain.guest == Guest(kind="pv", arch="x86")
    assert domain.offers() == frozenset()
    assert not domain.is_current


def test_every_parameter() -> None:
    domain = opened("kind=hvm,width=4,arch=arm,vcpus=3,channels=12,xen=4.9,domid=44,seed=1")
    assert (domain.domid, domain.xen_version) == (44, XenVersion(4, 9))
    assert domain.guest == Guest(kind="hvm", width=4, arch="arm", vcpus=3, channels=12)


@pytest.mark.parametrize("domid", [0, 1, 0x7FEF])
def test_domids(domid: int) -> None:
    assert opened(f"domid={domid}").domid == domid


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("vcpus=0", "1 to 8192"),
        ("vcpus=8193", "1 to 8192"),
        ("vcpus=", "1 to 8192"),
        ("vcpus=-1", "1 to 8192"),
        ("vcpus=+1", "1 to 8192"),
        ("vcpus=\u0663", "1 to 8192"),
        ("vcpus=" + "9" * 5000, "1 to 8192"),
        ("channels=131073", "0 to 131072"),
        ("seed=x", "0 to 9223372036854775808"),
        ("domid=32752", "0 to 32751"),
        ("xen=4", "MAJOR.MINOR, as in 4.17"),
        ("xen=4.17.1", "MAJOR.MINOR, as in 4.17"),
    ],
)
def test_numbers_out_of_range(rest: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(rest)
    assert caught.value.expected == expected
    assert len(str(caught.value.actual)) < 100


@pytest.mark.parametrize("rest", ["width=5", "kind=xen", "arch=riscv", "arch="])
def test_choices(rest: str) -> None:
    with pytest.raises(UsageError, match=f"sim: {rest.partition('=')[0]} (is not|must be) "):
        opened(rest)


@pytest.mark.parametrize(
    ("rest", "near"),
    [("vcpu=3", "vcpus"), ("chanels=3", "channels"), ("sed=1", "seed"), ("Width=4", "width")],
)
def test_near_names_are_suggested(rest: str, near: str) -> None:
    with pytest.raises(UsageError, match="has no parameter") as caught:
        opened(rest)
    assert near in str(caught.value.hint)
    assert "vcpus" in str(caught.value.expected)


def test_far_names_are_not() -> None:
    with pytest.raises(UsageError, match="has no parameter 'zzz'") as caught:
        opened("zzz=3")
    assert caught.value.hint is None


def test_one_file_at_most(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes one file") as caught:
        opened(f"{tmp_path}/a,{tmp_path}/b")
    assert caught.value.actual == f"{tmp_path}/b"


def test_parameters_do_not_overrule_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    domain = opened(f"{path},vcpus=2,domid=9")
    loaded(domain, knob(1))
    domain.close()
    with pytest.raises(UsageError, match="exists, and cannot be combined"):
        opened(f"{path},vcpus=3")
    assert opened(str(path)).domid == 9


def test_a_save_needs_a_file_that_is_there(tmp_path: Path) -> None:
    for rest in (f"{tmp_path}/none", f"{tmp_path}/none,vcpus=3"):
        with pytest.raises(InputOutputError, match="cannot read") as caught:
            opened(rest, "save")
        assert caught.value.errno is Errno.ENOENT


def test_a_file_whose_name_looks_like_a_parameter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    domain = opened(f"{tmp_path}/a=b")
    loaded(domain, knob(1))
    domain.close()
    assert opened("a=b", "save").offers() == {0x100}
    assert opened("./a=b", "save").offers() == {0x100}


def test_made_up_state_is_the_same_each_time() -> None:
    assert made_up("vcpus=3,seed=5") == made_up("vcpus=3,seed=5")
    assert made_up("vcpus=3,seed=5") != made_up("vcpus=3,seed=6")
    assert made_up("vcpus=3") == made_up("vcpus=3,seed=0")
    records = made_up("vcpus=3")["records"]
    assert [(r["type"], r["instance"]) for r in records if r["type"] < 0x102] == [
        (0x100, 0), (0x101, 0), (0x101, 1), (0x101, 2),
    ]  # fmt: skip


def test_state_is_made_up_only_where_it_is_asked_for() -> None:
    assert made_up("")["records"] == []
    assert made_up("kind=hvm,width=4")["records"] == []
    assert opened("vcpus=3", "load").to_json()["records"] == []
