"""The tree of an image: every byte of any input is in exactly one place of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import INPUTS

from domctx_core import BufferSource, FileSource, Formats, MisuseError
from domctx_core.host.host import Host
from domctx_core.images.tree import ContainerNode, Image, read_image
from domctx_core.reader.splice import ByteRange, Chunk, size_of, write_chunks


@cache
def formats() -> Formats:
    return Host().formats


def tree(data: bytes) -> Image:
    return read_image(BufferSource(data), formats())


def spans(container: ContainerNode) -> Iterator[ByteRange]:
    """The stretches of a container, in order, those of what lies in it included."""
    yield container.prologue
    for node in container.nodes:
        record = node.record
        yield ByteRange(record.offset, record.header_size)
        if node.content is not None and not node.inline:
            yield from spans(node.content)
        else:
            yield ByteRange(record.body_offset, record.length)
        yield ByteRange(record.body_offset + record.length, record.padding)
        if node.content is not None and node.inline:
            yield from spans(node.content)
    if container.follows is not None:
        yield from spans(container.follows)
    for rest in (container.trailing, container.unframed):
        if rest is not None:
            yield rest


def assert_whole(data: bytes) -> Image:
    image = tree(data)
    at = 0
    for span in spans(image.root):
        assert span.offset == at, (span, at)
        at = span.end
    assert at == image.size == len(data)
    return image


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_every_byte_has_one_place(path: Path) -> None:
    assert_whole(path.read_bytes())


def test_there_are_inputs_of_every_kind() -> None:
    assert len(INPUTS) > 120


@given(st.data())
def test_every_byte_of_a_mutation_has_one_place(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(INPUTS))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    assert_whole(bytes(raw[:cut]))


@given(st.binary(max_size=200))
def test_every_byte_of_anything_has_one_place(data: bytes) -> None:
    assert_whole(data)


def test_containers_know_what_holds_them() -> None:
    path = next(path for path in INPUTS if path.name.startswith("pvh1"))
    image = assert_whole(path.read_bytes())
    names = [container.level.format.name for container in image.root.walk()]
    assert names[:3] == ["xl", "libxl", "libxc"]
    assert "hvm-context" in names
    for container in image.root.walk():
        if container.parent is not None:
            assert container.parent.content is container
            assert container.outer is not None
            assert container.parent in container.outer.nodes


def test_a_pipe_has_no_tree() -> None:
    with pytest.raises(MisuseError, match="seek"):
        read_image(FileSource(io.BytesIO(b""), stream=True), formats())


@given(st.binary(max_size=64), st.data())
def test_pieces_are_written_as_they_say(data: bytes, draw: st.DataObject) -> None:
    def span(draw_: st.DrawFn) -> ByteRange:
        start = draw_(st.integers(0, len(data)))
        return ByteRange(start, draw_(st.integers(0, len(data) - start)))

    chunks: list[Chunk] = draw.draw(
        st.lists(st.one_of(st.binary(max_size=9), st.composite(span)()), max_size=12)
    )
    target = io.BytesIO()
    written = write_chunks(chunks, BufferSource(data), target)
    whole = b"".join(
        data[chunk.offset : chunk.end] if isinstance(chunk, ByteRange) else chunk
        for chunk in chunks
    )
    assert target.getvalue() == whole
    assert written == len(whole) == size_of(chunks)
