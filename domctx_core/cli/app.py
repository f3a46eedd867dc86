"""The top of the command line: global options, the verbs, and what they share."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import click

from domctx_core._version import __version__
from domctx_core.base.errors import (
    DomctxError,
    InputOutputError,
    PluginError,
    UsageError,
    describe,
    io_error,
)

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from domctx_core.host.host import Host
    from domctx_core.model.observer import Watch

__all__ = ["App", "domctx"]

VERBS = {
    "show": "What is in an image, in any known format.",
    "verify": "Everything that is wrong with images.",
    "decode": "A whole image as JSON, for `encode` to turn back.",
    "encode": "The image that a JSON document describes.",
    "diff": "What differs between two images, field by field.",
    "save": "Save a domain to an image.",
    "load": "Load an image into a domain.",
    "size": "The exact size of a domain's image, without saving it.",
    "edit": "Change an image: set fields, drop, insert, reorder.",
    "report": "One HTML page that shows all of an image.",
    "types": "The record types that are known, and who provides them.",
    "schema": "The JSON Schema of documents, or of record types.",
    "plugins": "The plugins that were found, and what became of them.",
    "explain": "What a finding means and what to do about it.",
}
"""The verbs with one line of help each, so that `--help` imports none of them."""


class App:
    """What the verbs of one run share: switches, colours, the host, and the status so far.

    Plugins are looked for in the folders of `path`, or on `sys.path` where it is not given.
    """

    def __init__(self, path: Iterable[str] | None = None) -> None:
        self.path = path
        self.verbose = 0
        self.quiet = False
        self.color: bool | None = None
        self._colored: dict[Any, bool] = {}
        self.strict = False
        self.no_plugins = False
        self.trace_plugins = False
        self.disabled: tuple[str, ...] = ()
        self.status = 0
        #: Takes away the line that shows how far an operation is, where there is one.
        self.live: Callable[[], None] | None = None

    def configure(
        self,
        *,
        verbose: int,
        quiet: bool,
        color: str,
        no_plugins: bool,
        plugin_switches: tuple[str, ...],
        strict: bool,
        trace_plugins: bool,
    ) -> None:
        """Take the global options in."""
        self.verbose, self.quiet, self.strict = verbose, quiet, strict
        self.no_plugins, self.trace_plugins = no_plugins, trace_plugins
        self.color = {"auto": None, "always": True, "never": False}[color]
        for switch in plugin_switches:
            if not switch.startswith("no:") or not switch.removeprefix("no:").strip():
                raise UsageError(
                    f"-p takes no:NAME, not {switch!r}", hint="installed plugins need no switch"
                )
        self.disabled = tuple(switch[3:] for switch in plugin_switches)
        if self.disabled:
            self.host  # noqa: B018  # a name that matches nothing is an error whatever the verb

    @cached_property
    def host(self) -> Host:
        """The host with the plugins that the switches leave."""
        from domctx_core.host.host import Host
        from domctx_core.host.plugin_filter import PluginFilter

        plugin_filter = PluginFilter.from_environment(
            os.environ, no_plugins=self.no_plugins, disable=self.disabled
        )
        trace = (lambda line: self.say(f"trace: {line}")) if self.trace_plugins else None
        return Host(plugin_filter, path=self.path, reserved_verbs=VERBS, trace=trace)

    def colored(self, stream: Any) -> bool:
        """Whether what goes to `stream` is coloured."""
        if self.color is not None:
            return self.color
        known = self._colored.get(stream)
        if known is None:  # asked for each line of an answer, which may have a million
            plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
            known = self._colored[stream] = not plain and self.terminal(stream)
        return known

    @staticmethod
    def terminal(stream: Any) -> bool:
        """Whether a stream, which may be closed, is a terminal."""
        return bool(getattr(stream, "isatty", lambda: False)())

    def style(self, text: str, stream: Any = None, **style: Any) -> str:
        """`text` in a style where the stream (standard output by default) is coloured."""
        return click.style(text, **style) if self.colored(stream or sys.stdout) else text

    def say(self, text: str) -> None:
        """A line on standard error, unless the user wants quiet."""
        if not self.quiet:
            if self.live is not None:
                self.live()
            if sys.stdout is not None:
                sys.stdout.flush()  # where both go to one place, in the order in which they were said
            click.echo(text, err=True, color=self.colored(sys.stderr))

    def out(self, text: str) -> None:
        """A line of the answer, on standard output."""
        if sys.stdout is None:
            raise InputOutputError("standard output is closed")
        if self.live is not None and self.terminal(sys.stdout):
            self.live()
        try:
            # not echo, which flushes: an answer may have a line for each of 131,072 records
            sys.stdout.write((text if self.colored(sys.stdout) else click.unstyle(text)) + "\n")
        except BrokenPipeError:
            raise
        except OSError as error:
            raise io_error("write the answer", error) from error

    def worst(self, status: int) -> None:
        """Take a status into account: the gravest one wins."""
        self.status = max(self.status, status)

    def finish(self) -> int:
        """Speak of plugins that are of no use, and give the exit status.

        Under `--strict` that is all of them, so all are imported.
        """
        if self.strict:
            with contextlib.suppress(UsageError):  # switches that make no sense: told already
                self.host.examine()
        if "host" in self.__dict__:
            told: set[str] = set()
            for plugin in self.host.plugins:
                faults = list(plugin.warnings)
                if plugin.broken:
                    faults.append(f"is {plugin.status}: {plugin.reason}")
                for fault in faults:
                    line = f"warning: plugin {plugin.provider}: {fault}"
                    if line not in told:  # one distribution may have many entry points
                        told.add(line)
                        self.say(line)
                if faults and self.strict:
                    self.worst(4)
                if self.verbose and plugin.trace:
                    self.say(plugin.trace)
            for error in self.host.formats.failures.values():
                self.say(f"warning: plugin {error.provider}: {error.message}")
                if self.strict:
                    self.worst(4)
        return int(self.status)

    def watch(self, kind: Literal["save", "load", "verify"], subject: str) -> Watch:
        """Tells the plugins' observers of one operation; one that raises is spoken of."""
        from domctx_core.model.observer import Observer, Operation, Watch

        def dropped(observer: Observer, error: BaseException) -> None:
            name = f"{type(observer).__module__}.{type(observer).__qualname__}"
            whose = self.host.observer_provider(observer)
            self.say(f"warning: plugin {whose}: its observer {name} raised {describe(error)}")
            if self.strict:
                self.worst(4)

        return Watch(self.host.observers(), Operation(kind, subject), dropped)

    def standard_input(self) -> BinaryIO:
        """Standard input as bytes, unbuffered where that can be had."""
        if sys.stdin is None:
            raise InputOutputError("standard input is closed")
        buffer = sys.stdin.buffer
        raw: BinaryIO = getattr(buffer, "raw", buffer)
        return raw

    def standard_input_if_open(self) -> BinaryIO | None:
        """Standard input for whoever may not need it."""
        return None if sys.stdin is None else self.standard_input()

    def standard_output(self) -> BinaryIO:
        """Standard output for an image; refused where it is a terminal."""
        if sys.stdout is None:
            raise InputOutputError("standard output is closed")
        if sys.stdout.isatty():
            raise UsageError(
                "an image is binary, and standard output is a terminal",
                hint="give a file, or send it through a pipe",
            )
        return sys.stdout.buffer


def _app(context: click.Context) -> App:
    app: App = context.find_root().obj
    return app


_WHERE = "`domctx -v` shows where"


class Verbs(click.Group):
    """The group of verbs; each is imported when it is used."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the switches in before a verb is looked for, which may be a plugin's."""
        rest = super().parse_args(ctx, args)
        _app(ctx).configure(**ctx.params)
        return rest

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS, *_app(ctx).host.commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in VERBS:
            command: click.Command = import_module(f"domctx_core.cli.{cmd_name}").command
            return command
        return _app(ctx).host.command(cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs with their help, without importing them, and the options."""
        from click.shell_completion import CompletionItem

        brought = {name: p.entry_point.summary for name, p in _app(ctx).host.commands().items()}
        verbs = [
            CompletionItem(name, help=text)
            for name, text in {**brought, **VERBS}.items()
            if name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
        brought = _app(ctx).host.commands()
        if brought:
            with formatter.section("Verbs of plugins"):
                formatter.write_dl(
                    [
                        (name, f"{p.entry_point.summary} [{p.provider}]")
                        for name, p in brought.items()
                    ]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what a plugin's verb raises is the plugin's failure and not ours."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, DomctxError):
            raise
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except BaseException as error:
            provider = _app(ctx).host.verb_provider(ctx.invoked_subcommand or "")
            if provider is not None:
                raised = f"the verb {ctx.invoked_subcommand} raised {describe(error)}"
                raise PluginError(raised, provider=provider) from error
            if isinstance(error, SystemExit):  # nothing of ours does that
                raise PluginError(f"some plugin raised {describe(error)}", hint=_WHERE) from error
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None:
            import difflib

            near = difflib.get_close_matches(name, self.list_commands(ctx), 3, 0.5)
            raise UsageError(
                f"there is no verb {name!r}",
                hint=f"did you mean {' or '.join(near)}?" if near else "see `domctx --help`",
            )
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    no_args_is_help=True,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="domctx", message="%(prog)s %(version)s")
@click.option("-v", "--verbose", count=True, help="Say more; tracebacks of broken plugins too.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on standard error but errors.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours; auto means on a terminal, and honours NO_COLOR.",
)
@click.option("--no-plugins", is_flag=True, help="Use nothing but what the core ships.")
@click.option(
    "-p",
    "plugin_switches",
    multiple=True,
    metavar="no:NAME",
    help="Do not use a plugin (distribution, entry point or module); repeatable.",
)
@click.option(
    "--strict", is_flag=True, help="Import every plugin, and exit with 4 if any is broken."
)
@click.option("--trace-plugins", is_flag=True, help="Say what each import and hook call costs.")
def domctx(**options: object) -> None:
    """Look at, check, save and load the saved state of Xen domains.

    IMAGE is a file, or - for standard input or output. DOMAIN is SCHEME:REST, such as
    sim:state.json.
    """
