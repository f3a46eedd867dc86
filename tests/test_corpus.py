"""The reference images: 120 images whose outcome two other engines agree on."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import (
    CORPUS,
    LOADER,
    Drip,
    LoggedDomain,
    Sample,
    formats,
    rec,
    registry,
    sample,
    samples,
    sources,
    start,
    to_big_endian,
)

from domctx_core import (
    BufferSource,
    DomctxError,
    FileLoadOps,
    FileSource,
    ImageError,
    LoadOps,
    MemoryLoadOps,
    Severity,
    load_domain,
    verify,
)

ids = [each.name for each in samples()]
each_sample = pytest.mark.parametrize("one", samples(), ids=ids)


def outcome(data: bytes, options: tuple[str, ...]) -> tuple[LoggedDomain, ImageError | None]:
    domain = LoggedDomain(registry(options=options))
    try:
        load_domain(domain, MemoryLoadOps(data), domain.registry)
    except ImageError as error:
        return domain, error
    return domain, None


def test_the_corpus_is_whole() -> None:
    entries = json.loads((CORPUS / "manifest.json").read_text())["entries"]
    assert len(entries) == 120
    for entry in entries:
        data = (CORPUS / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"], entry["file"]


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        pytest.param(one, kind, id=f"{one.name}-{kind}")
        for one in samples()
        for kind in ("memory", "stream")
        if kind == "memory" or len(one.data) < 100_000  # a few bytes at a time is slow
    ],
)
def test_load_agrees(one: Sample, kind: str) -> None:
    domain = LoggedDomain(registry(options=one.options))
    ops: LoadOps = MemoryLoadOps(one.data) if kind == "memory" else FileLoadOps(Drip(one.data))
    if one.ok:
        result = load_domain(domain, ops, domain.registry)
        assert (result.records, result.consumed) == (one.records, one.consumed)
        assert domain.total == one.sum
        assert (domain.pauses, domain.unpauses) == (1, 1)
        assert len(result.changes) == one.records
        return
    with pytest.raises(ImageError) as caught:
        load_domain(domain, ops, domain.registry)
    assert caught.value.errno is not None
    assert caught.value.errno.name in {one.errno} | one.acceptable
    assert caught.value.rule is not None
    assert 0 <= (caught.value.offset or 0) <= len(one.data)
    assert domain.log == []
    assert domain.state == {}


@each_sample
def test_loading_as_it_comes_is_as_strict(one: Sample) -> None:
    domain = LoggedDomain(registry(options=one.options))
    error = None
    try:
        load_domain(domain, MemoryLoadOps(one.data), domain.registry, validate=False)
    except ImageError as caught:
        error = caught
    assert (error is None) == one.ok
    if error is None:
        assert domain.total == one.sum
    else:
        assert any("without validation" in note for note in error.__notes__)
    assert domain.pauses == domain.unpauses


@each_sample
def test_verify_agrees_with_load_from_every_source(one: Sample, tmp_path: Path) -> None:
    known = formats(options=one.options)
    seen = {}
    for kind, source in sources(one.data, tmp_path / "image"):
        if kind == "pipe" and len(one.data) > 100_000:
            continue
        verdict = verify(source, known, receiver=LOADER)
        assert verdict.valid == one.ok, kind
        assert verdict.format == "domain-context"
        seen[kind] = verdict
    assert len(set(seen.values())) == 1, seen
    _, error = outcome(one.data, one.options)
    if error is not None:
        rules = {f.rule for f in seen["memory"].findings if f.severity is Severity.ERROR}
        assert error.rule in rules


def test_the_first_finding_is_what_load_says() -> None:
    """For images with one fault, rule, errno, offset, type and instance are the same."""
    for one in samples():
        if one.ok:
            continue
        _, error = outcome(one.data, one.options)
        verdict = verify(BufferSource(one.data), formats(options=one.options), receiver=LOADER)
        errors = [f for f in verdict.findings if f.severity is Severity.ERROR]
        if len(errors) == 1:
            assert error is not None
            found = errors[0]
            assert (error.rule, error.errno) == (found.rule, found.errno), one.name
            assert error.record == found.record, one.name
            assert (error.type, error.instance) == (found.type, found.instance), one.name


@pytest.mark.parametrize("name", [s.name for s in samples() if s.ok and len(s.data) < 100_000])
def test_big_endian(name: str) -> None:
    one = sample(name)
    data = to_big_endian(one.data)
    domain = LoggedDomain(registry(options=one.options))
    result = load_domain(domain, MemoryLoadOps(data), domain.registry)
    assert result.byteorder == "big"
    assert (result.records, result.consumed) == (one.records, one.consumed)
    assert domain.total == one.sum
    verdict = verify(BufferSource(data), formats(options=one.options), receiver=LOADER)
    assert verdict.valid


def test_big_endian_faults() -> None:
    data = to_big_endian(sample("v19-seed1.img").data)
    for at, rule in ((7, "start-instance"), (19, "newer-version"), (44, "padding-not-zero")):
        bad = bytearray(data)
        bad[at] ^= 1
        if rule == "padding-not-zero":
            bad = bytearray(
                start(order=">") + rec(3, 0, struct.pack(">IIQI", 0, 1, 2, 3), order=">")
            )
            bad[-1] = 1
        _, error = outcome(bytes(bad), ())
        assert error is not None
        assert error.rule == rule


# ------------------------------------------------------------------------------------- mutations

SMALL = [
    s for s in samples() if len(s.data) < 5000 and s.category in ("valid", "bitflip", "duplicate")
]
TINY = [s for s in samples() if len(s.data) <= 400]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, tuple[str, ...]]:
    one = draw(st.sampled_from(TINY if draw(st.booleans()) else SMALL))
    data = bytearray(one.data)
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["flip", "cut", "insert", "delete", "set", "word"]))
        at = draw(st.integers(0, max(0, min(len(data), 200) - 1)))
        if draw(st.booleans()):
            at = max(0, len(data) - 1 - at)
        if kind == "cut":
            del data[at:]
        elif kind == "insert":
            data[at:at] = draw(st.binary(max_size=24))
        elif kind == "delete":
            del data[at : at + draw(st.integers(1, 24))]
        elif kind == "word":
            at &= ~3
            value = draw(st.one_of(st.integers(0, 8), st.sampled_from([2**32 - 1, 2**31])))
            data[at : at + 4] = value.to_bytes(4, "little")
        elif data:
            at = min(at, len(data) - 1)
            data[at] = (
                data[at] ^ (1 << draw(st.integers(0, 7)))
                if kind == "flip"
                else draw(st.integers(0, 255))
            )
    return bytes(data), one.options


@settings(max_examples=400, deadline=None)
@given(mutated())
@example((b"", ()))
@example((b"\xff" * 64, ()))
@example((start() + b"\0" * 3, ()))
def test_load_refuses_exactly_what_verify_calls_an_error(
    case: tuple[bytes, tuple[str, ...]],
) -> None:
    data, options = case
    domain, error = outcome(data, options)
    known = formats(options=options)
    verdict = verify(BufferSource(data), known, receiver=LOADER)
    assert verdict.valid == (error is None), (error, verdict.findings)
    assert domain.pauses == domain.unpauses
    if error is not None:
        assert domain.log == []
        assert error.errno is not None
        assert error.offset is not None
        assert error.offset >= 0
        assert error.offset <= len(data) or error.rule in ("body-not-consumed", "end-length")
        assert error.rule in {f.rule for f in verdict.findings}
    for finding in verdict.findings:
        assert 0 <= finding.offset <= len(data)
        json.dumps(finding.to_json())
    assert verify(FileSource(Drip(data)), known, receiver=LOADER) == verdict


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_noise_only_gives_our_errors(data: bytes, framed: bool) -> None:
    if framed:
        data = start() + data
    known = formats()
    verdict = verify(BufferSource(data), known)
    _, error = outcome(data, ())
    assert (error is None) == verify(BufferSource(data), known, receiver=LOADER).valid
    assert all(isinstance(f.rule, str) for f in verdict.findings)
    assert error is None or isinstance(error, DomctxError)
