"""The interface for verbs of plugins: what the built-in verbs are written with.

A verb is a `click.Command` whose object is the `App` of the run. The functions open inputs and
outputs, show progress and report errors as the built-in verbs do.
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
from domctx_core.cli.options import cap_option, target_option, xen_option
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
    "xen_option",
]
