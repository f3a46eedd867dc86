"""Selecting the records of an image for an edit."""

from __future__ import annotations

import pytest
from edited_images import END, PV1, TSC, change, drop, edited
from support import rec, start

from domctx_core import (
    ImageError,
    UsageError,
)


def test_all_instances_a_range_and_a_duplicate() -> None:
    def channel(port: int, domid: int) -> bytes:
        return rec(0x500, port, bytes([domid]))

    channels = [channel(port, 1) for port in range(6)]
    data = start() + b"".join(channels) + channel(3, 2) + END
    assert edited(data, drop("0x500")) == start() + END
    assert edited(data, drop("0x500[1-3,5]")) == start() + channels[0] + channels[4] + END
    again = edited(data, drop("0x500#7"))
    assert again == start() + b"".join(channels) + END
    assert edited(data, drop("domain-context/1280[*]")) == start() + END


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SHARED_INFO.flags=0", "the image has no SHARED_INFO"),
        ("TSC_INFO[1].khz=0", r"the image has no TSC_INFO\[1\]"),
        ("0x500.x=0", "no plugin knows type 0x500"),
        ("EVENT_CHANNEL.state=1", r"EVENT_CHANNEL\[7\] cannot be decoded"),
    ],
)
def test_what_this_image_has_not_got_is_refused(text: str, message: str) -> None:
    data = start() + rec(3, 0, TSC) + rec(5, 7, b"x") + rec(0x500, 0, b"x") + END
    with pytest.raises(ImageError, match=message):
        change(data, text)


def test_what_could_mean_several_is_refused() -> None:
    data = PV1.read_bytes()
    with pytest.raises(UsageError, match="END is in more than one format") as caught:
        change(data, drop("END"))
    assert caught.value.expected == "libxc/END or libxl/END"
    with pytest.raises(UsageError, match="X86_PV_VCPU_BASIC means 2 records") as caught:
        change(data, "X86_PV_VCPU_BASIC.vcpu_id=1")
    assert "X86_PV_VCPU_BASIC[0], X86_PV_VCPU_BASIC[1]" in str(caught.value.expected)
    twice = start() + rec(3, 0, TSC) + rec(3, 0, TSC) + END
    with pytest.raises(UsageError, match=r"TSC_INFO\[0\] means 2 records") as caught:
        change(twice, "TSC_INFO[0].khz=1")
    assert caught.value.expected == "TSC_INFO[0]#1, TSC_INFO[0]#2"
    assert edited(twice, "TSC_INFO[*].khz=2400000") == twice
