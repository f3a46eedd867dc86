"""What a verb of a plugin shares with the built-in ones.

A verb is a `click.Command`, and its object is the `App` of the run. The rest is what the built-in
verbs open their inputs and outputs with, show how far they are, and report errors.
"""

from domctx_core.cli.app import App
from domctx_core.cli.inputs import (
    complete_files,
    input_name,
    open_file,
    open_input,
    open_seekable,
    parse_size,
)
from domctx_core.cli.messages import ExitStatus, finding_text, report_error
from domctx_core.cli.options import cap_option, target_option
from domctx_core.cli.outputs import open_output, refuse_overwriting
from domctx_core.cli.progress import file_progress, progress

__all__ = [
    "App",
    "ExitStatus",
    "cap_option",
    "complete_files",
    "file_progress",
    "finding_text",
    "input_name",
    "open_file",
    "open_input",
    "open_output",
    "open_seekable",
    "parse_size",
    "progress",
    "refuse_overwriting",
    "report_error",
    "target_option",
]
