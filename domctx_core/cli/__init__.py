"""The command `domctx`: the way in, the global options and the exit status.

Every verb is a few lines over the library, in a module of its own that is imported when the verb
is used.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None, *, path: Iterable[str] | None = None) -> int:
    """Run `domctx` with these arguments (those of the process by default); gives the exit status.

    Plugins are looked for in the folders of `path`, or on `sys.path` where it is not given.

    0 fine; 1 findings, differences or a refusal; 2 usage; 3 input or output that cannot be read
    or written; 4 a plugin that is needed and cannot be used; 5 a bug of ours; 130 interrupted; 141 whoever
    read the output has gone.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        # names of files may have bytes that the terminal's encoding cannot say
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(given, path)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        # whoever read our output has gone; Python's own flush at exit must not complain again
        _discard_output()
        return _BROKEN_PIPE
    except OSError as error:
        _discard_output()
        with contextlib.suppress(OSError, AttributeError):
            sys.stderr.write(f"error: cannot write: {error.strerror or error}\n")
        return 3


_BROKEN_PIPE = 128 + signal.SIGPIPE
"""As the shell sees a program that the signal ended."""


def _discard_output() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(given: Sequence[str], path: Iterable[str] | None) -> int:
    if list(given) == ["--version"]:
        from domctx_core._version import __version__

        print(f"domctx {__version__}")  # noqa: T201
        return 0

    import click

    from domctx_core.cli.app import App, domctx
    from domctx_core.cli.report import ExitStatus, report

    app = App(path)
    try:
        domctx.main(list(given), prog_name="domctx", standalone_mode=False, obj=app)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.INTERRUPTED
    except SystemExit as leave:  # how click answers a reader of our output that has gone
        raise BrokenPipeError from leave
    except BrokenPipeError:
        raise
    except Exception as error:
        app.worst(report(app, error))
    return app.finish()
