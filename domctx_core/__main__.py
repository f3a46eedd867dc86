"""`python -m domctx_core` is `domctx`."""

import sys

from domctx_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
