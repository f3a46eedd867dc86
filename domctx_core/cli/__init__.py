"""Run the command domctx: a file for each verb, over the library.

* `app`: `App`, what the verbs of one run share; `group`: global options and the list of verbs
* verbs: `show`, `verify`, `decode`, `encode`, `diff`, `save`, `load`, `size`, `edit`, `report`, `types`, `schema`,
  `plugins/`, `explain`
* what they share: `inputs`, `outputs`, `options`, `selection`, `progress`, `pager`
* what they print: `messages` for errors and findings, `text` for tables and bodies, `views` for `show`
* `kit`: what verbs of plugins use of all this

Imports all rooms below. Used by `testing`. A verb parses options, calls the library and
prints; logic belongs into a lower room. stdout is data, stderr everything else. A verb's module is imported
when it is used, and this one imports nothing that `--version` does without.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False  # as in typing, which takes half as long to import as Python to start
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None, *, path: Iterable[str] | None = None) -> int:
    """Run `domctx` with these arguments (those of the process by default); return the exit status.

    Plugins are searched in the folders of `path`, by default on `sys.path`.

    0 fine; 1 findings, differences or a refusal; 2 usage; 3 input or output that cannot be read
    or written; 4 a plugin that is needed and cannot be used; 5 a bug of ours; 130 interrupted; 141 the reader of
    the output has gone.
    """
    if arguments is not None:
        return _main(list(arguments), path)
    # The process is ours. What is imported stays, and so does most of what is read: looking for
    # cycles in it every 700 objects, and once more at the end, is a tenth of a short run.
    gc.set_threshold(50_000)
    try:
        return _main(sys.argv[1:], path)
    finally:
        gc.freeze()


def _main(given: list[str], path: Iterable[str] | None) -> int:
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        # names of files may have bytes that the terminal's encoding cannot say
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(given, path)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:  # before there is anything that could say more
        _discard(sys.stdout)
        return _INTERRUPTED
    except BrokenPipeError:
        # whoever read our output has gone; Python's own flush at exit must not complain again
        _discard(sys.stdout)
        return _BROKEN_PIPE
    except OSError as error:
        _discard(sys.stdout)
        try:
            if sys.stderr is not None:
                sys.stderr.write(f"error: cannot write the answer: {error.strerror or error}\n")
                sys.stderr.flush()
        except OSError:
            _discard(sys.stderr)
        return 3


def _in_click(error: OSError) -> bool:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and str(at.tb_frame.f_globals.get("__name__")).startswith("click.")


_INTERRUPTED = 128 + 2
"""As the shell sees a program that SIGINT ended."""

_BROKEN_PIPE = 128 + 13
"""As the shell sees a program that SIGPIPE ended."""


def _discard(stream: TextIO | None) -> None:
    """Discard what a stream still buffers, so that Python does not fail to flush it at exit."""
    import os
    from contextlib import suppress

    if stream is not None:
        with suppress(OSError, ValueError, AttributeError):  # what stands in for it may be no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(given: list[str], path: Iterable[str] | None) -> int:
    if given == ["--version"]:
        from domctx_core._version import __version__

        print(f"domctx {__version__}")  # noqa: T201
        return 0

    from os import environ

    import click

    from domctx_core.cli.app import App
    from domctx_core.cli.group import VERBS, domctx
    from domctx_core.cli.messages import ExitStatus, report_error

    app = App(path, VERBS)
    completing = bool(environ.get("_DOMCTX_COMPLETE"))  # click's way to complete for a shell
    try:
        domctx.main(given, prog_name="domctx", standalone_mode=False, obj=app)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, click.Abort):
        return ExitStatus.INTERRUPTED
    except SystemExit as leave:
        if completing and isinstance(leave.code, int):
            return leave.code
        raise BrokenPipeError from leave  # how click answers a reader of our output that has gone
    except BrokenPipeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and _in_click(error):
            raise  # it writes text, and opens nothing
        if completing:
            return ExitStatus.FINDINGS  # a message would land in the line that is being typed
        app.raise_status(report_error(app, error))
    return app.finish()
