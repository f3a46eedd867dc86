"""The record types do what every record type must do."""

from __future__ import annotations

import pytest
from hvm_context_support import TYPES

from domctx_core.testing import RecordTypeConformance, Subject, subject_of


class TestHvmContext(RecordTypeConformance):
    """The standard tests; those of saving and loading have nothing to do in this format."""

    @pytest.fixture(params=TYPES.values(), ids=list(TYPES))
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Each record type of the format."""
        return subject_of(request.param, format="hvm-context", dist="domctx-plugin-hvm-context")
