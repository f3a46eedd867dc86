"""`python -m domctx_core` is `domctx`."""

import os
import sys

if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):
    # Python searches the current folder first, and that may be the one with the data: a plugin
    # must never come from there
    del sys.path[0]

from domctx_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
