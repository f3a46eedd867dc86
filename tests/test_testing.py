"""The names that the test kit offers."""

from __future__ import annotations

import pytest

from domctx_core import testing


def test_the_kit_gives_what_it_lists() -> None:
    for name in testing.__all__:
        assert getattr(testing, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        testing.Nothing  # noqa: B018
