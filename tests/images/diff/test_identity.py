"""The identity of a record: none where its type names no fields."""

from __future__ import annotations

from edited_images import END, PV1, TSC, tree
from support import rec, start

from domctx_core.images.diff.identity import identity_of


def test_types_that_name_no_fields_and_unknown_types_have_none() -> None:
    image = tree(start() + rec(3, 0, TSC) + rec(0x500, 0, b"x") + END)
    assert [identity_of(node.record) for node in image.root.nodes] == [()] * 4


def test_vcpus_of_a_stream_are_distinguished_by_their_identity() -> None:
    nodes = [node for _, node in tree(PV1.read_bytes()).nodes()]
    vcpus = [n.record for n in nodes if n.record.name == "X86_PV_VCPU_BASIC"]
    assert len({identity_of(record) for record in vcpus}) == len(vcpus) == 2
