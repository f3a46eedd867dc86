"""TSC_INFO does what every record type must do."""

from __future__ import annotations

from domctx_plugin_tsc_info import TscInfoRecord

from domctx_core.testing import RecordTypeConformance


class TestTscInfo(RecordTypeConformance):
    """The standard tests."""

    record_type = TscInfoRecord
    dist = "domctx-plugin-tsc-info"
