"""Containers of an image, and what differs in them besides their records."""

from __future__ import annotations

from edited_images import END, PVH1, TSC, tree
from support import rec, start, to_big_endian

from domctx_core.images.diff.containers import framing_changes, joined_containers
from domctx_core.images.diff.image_pair import ImagePair

IMAGE = start() + rec(3, 0, TSC) + END


def changed(a: bytes, b: bytes) -> list[str]:
    images = ImagePair(tree(a), tree(b), None)
    (x,) = joined_containers(images.a, in_b=False)
    (y,) = joined_containers(images.b, in_b=True)
    return [change.where for change in framing_changes(images, x, y)]


def test_byte_order_and_trailing_bytes_differ_besides_records() -> None:
    assert changed(IMAGE, IMAGE) == []
    assert changed(IMAGE, start() + END) == []
    assert changed(IMAGE, IMAGE + b"x") == ["trailing"]
    assert changed(IMAGE, to_big_endian(IMAGE)) == ["byteorder"]


def test_stretches_of_one_container_are_joined() -> None:
    image = tree(PVH1.read_bytes())
    found = joined_containers(image, in_b=False)
    assert len({id(container.level) for container in found}) == len(found)
    stretches = [each for container in found for each in container.stretches]
    assert sorted(map(id, stretches)) == sorted(map(id, image.root.walk()))
