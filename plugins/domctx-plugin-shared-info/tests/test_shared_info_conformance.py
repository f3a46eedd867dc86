"""SHARED_INFO does what every record type must do."""

from __future__ import annotations

from domctx_plugin_shared_info import SharedInfoRecord

from domctx_core.testing import RecordTypeConformance


class TestSharedInfo(RecordTypeConformance):
    """The standard tests."""

    record_type = SharedInfoRecord
    dist = "domctx-plugin-shared-info"
