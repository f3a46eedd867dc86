"""Drafts of containers and records: extents, labels, and what counts as touched."""

from __future__ import annotations

from edited_images import END, TSC, tree
from support import rec, start

from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft


def draft_of(data: bytes) -> tuple[ContainerDraft, list[RecordDraft]]:
    root = tree(data).root
    container = ContainerDraft(root, None, None)
    container.items += [RecordDraft(node, container, 0) for node in root.nodes]
    return container, container.items


def test_a_container_is_touched_with_a_record_of_it() -> None:
    container, (_, tsc, _) = draft_of(start() + rec(3, 0, TSC) + END)
    assert not container.touched
    tsc.body = TSC
    assert tsc.touched
    assert container.touched


def test_extents_follow_each_other() -> None:
    data = start() + rec(3, 0, TSC) + rec(0x500, 0, b"x") + END
    _, items = draft_of(data)
    at = 0
    for item in items:
        assert item.extent.offset == at
        at += item.extent.length
    assert at == len(data)


def test_labels_name_the_type_or_its_code() -> None:
    _, (_, tsc, unknown, _) = draft_of(start() + rec(3, 0, TSC) + rec(0x500, 0, b"x") + END)
    assert tsc.label == "TSC_INFO[0]"
    assert unknown.label == "type 0x500[0]"
