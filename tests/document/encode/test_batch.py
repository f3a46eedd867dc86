"""Records that are encoded together leave faults and headers to the full encoder."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from documents import formats

from domctx_core import (
    BufferSource,
    DocumentError,
    decode_text,
    encode_image,
)
from domctx_core.host.host import Host


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("notify_vcpu", True),
        ("notify_vcpu", 1.0),
        ("notify_vcpu", 2**32),
        ("notify_vcpu", -1),
        ("state", "NONE_SUCH"),
        ("state", []),
        ("flags", ["PENDING", "NONE_SUCH"]),
        ("binding", None),
        ("binding", "00"),
        ("priority", None),
    ],
)
def test_the_quick_way_leaves_faults_to_the_thorough_one(key: str, value: Any) -> None:
    document = sample_channels()
    document["records"][3]["body"][key] = value
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    assert raised.value.faults[0].path.startswith(f"records[3].body.{key}")


@pytest.mark.parametrize("key", ["instance", "length", "padding", "type"])
@pytest.mark.parametrize("value", [True, 32.0, -1, "x", [1]])
def test_the_quick_way_leaves_heads_to_the_thorough_one(key: str, value: Any) -> None:
    document = sample_channels()
    document["records"][3][key] = value
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    assert raised.value.faults[0].path == f"records[3].{key}"


@cache
def _channels() -> str:
    host = Host()
    from domctx_core import MemorySaveOps, save_domain

    ops = MemorySaveOps()
    save_domain(host.open_domain("sim:seed=1,channels=8", "save"), ops, host.registry)
    return "".join(decode_text(BufferSource(ops.image), formats()))


def sample_channels() -> dict[str, Any]:
    """A document whose record 3 is an interdomain channel."""
    document: dict[str, Any] = json.loads(_channels())
    channels = [r for r in document["records"] if r["name"] == "EVENT_CHANNEL"]
    wanted = next(r for r in channels if r["body"]["state"] == "INTERDOMAIN")
    document["records"].insert(3, wanted | {"body": dict(wanted["body"])})
    return document
