"""Two images in a comparison: their record types may fail without ending it."""

from __future__ import annotations

from edited_images import END, TSC, tree
from support import rec, start

from domctx_core.images.diff.image_pair import ImagePair

IMAGE = start() + rec(3, 0, TSC) + rec(0x500, 0, b"x") + END


def pair() -> ImagePair:
    return ImagePair(tree(IMAGE), tree(IMAGE), None)


def test_a_plugin_that_fails_gives_no_answer_and_is_noted() -> None:
    images = pair()
    assert images.ask(len, "abc") == 3
    assert not images.needs_plugin

    def fails() -> int:
        raise ZeroDivisionError

    assert images.ask(fails) is None
    assert images.needs_plugin


def test_unknown_records_have_no_body_and_no_type() -> None:
    images = pair()
    _, tsc, unknown, _ = (node.record for node in images.a.root.nodes)
    assert images.decoded(tsc) is not None
    assert (images.decoded(unknown), images.side(unknown), images.record_type(unknown)) == (
        None, None, None,
    )  # fmt: skip
    assert not images.needs_plugin


def test_records_are_the_same_with_header_and_padding() -> None:
    other = IMAGE[:-17] + b"\1" + IMAGE[-16:]
    images = ImagePair(tree(IMAGE), tree(other), None)
    pairs = zip(images.a.root.nodes, images.b.root.nodes, strict=True)
    assert [images.same(n.record, m.record) for n, m in pairs] == [True, True, False, True]
