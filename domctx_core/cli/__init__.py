"""The command `domctx`: the way in, the global options and the exit status.

Every verb is a few lines over the library, in a module of its own that is imported when the verb
is used.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None, *, path: Iterable[str] | None = None) -> int:
    """Run `domctx` with these arguments (those of the process by default); gives the exit status.

    Plugins are looked for in the folders of `path`, or on `sys.path` where it is not given.

    0 fine; 1 findings, differences or a refusal; 2 usage; 3 input or output that cannot be read
    or written; 4 a plugin that is needed and cannot be used; 5 a bug of ours; 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        from domctx_core._version import __version__

        print(f"domctx {__version__}")  # noqa: T201
        return 0

    import click

    from domctx_core.cli.app import App, domctx
    from domctx_core.cli.report import ExitStatus, report

    app = App(path)
    try:
        domctx.main(given, prog_name="domctx", standalone_mode=False, obj=app)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has gone; Python's own flush at exit must not complain again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.FINDINGS
    except Exception as error:
        app.worst(report(app, error))
    return app.finish()
