"""Lets the tests run from a checkout in which this distribution is not installed."""

import sys
from importlib.util import find_spec
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"

if find_spec("domctx_plugin_legacy_context") is None:
    sys.path.insert(0, str(SOURCE))
