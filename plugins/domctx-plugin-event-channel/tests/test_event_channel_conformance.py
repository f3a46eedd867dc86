"""EVTCHN_ABI and EVENT_CHANNEL do what every record type must do."""

from __future__ import annotations

from domctx_plugin_event_channel import EventChannelRecord, EvtchnAbiRecord

from domctx_core.testing import RecordTypeConformance


class TestEvtchnAbi(RecordTypeConformance):
    """The standard tests."""

    record_type = EvtchnAbiRecord
    dist = "domctx-plugin-event-channel"


class TestEventChannel(RecordTypeConformance):
    """The standard tests."""

    record_type = EventChannelRecord
    dist = "domctx-plugin-event-channel"
