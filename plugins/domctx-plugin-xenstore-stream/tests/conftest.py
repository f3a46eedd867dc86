"""Lets the tests run where this distribution is not installed, and import the helpers beside them."""

import sys
from importlib.util import find_spec
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"

if find_spec("domctx_plugin_xenstore_stream") is None:
    sys.path.insert(0, str(SOURCE))

sys.path.insert(0, str(Path(__file__).parent))
