"""The record types of libxl and libxc streams do what every record type must do."""

from __future__ import annotations

import pytest
from xen_streams_support import record_types

from domctx_core.testing import RecordTypeConformance, Subject, subject_of

TYPES = [pytest.param((item[0], item[3]), id=f"{item[0]}-{item[2]}") for item in record_types()]


class TestXenStreams(RecordTypeConformance):
    """The standard tests; those of saving and loading have nothing to do in these formats."""

    @pytest.fixture(params=TYPES)
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Each record type among those that are installed."""
        format, record_type = request.param
        return subject_of(record_type, format=format, dist="domctx-plugin-xen-streams")
