"""The object of the command, shared by the verbs of one run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import click

from domctx_core.base.errors import InputOutputError, UsageError, describe, io_error

if TYPE_CHECKING:
    from domctx_core.host.host import Host
    from domctx_core.model.observer import Watch

__all__ = ["App"]


class App:
    """Global options, colours, the host and the exit status so far of one run.

    Plugins are searched in the folders of `path`, by default on `sys.path`. No plugin may bring a verb
    with the name of one of `verbs`.
    """

    def __init__(self, path: Iterable[str] | None = None, verbs: Iterable[str] = ()) -> None:
        self.path = path
        self._verbs = verbs
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
        """Store the global options."""
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
        """The host, with the plugins that the options leave enabled."""
        from domctx_core.host.host import Host
        from domctx_core.host.plugin_filter import PluginFilter

        plugin_filter = PluginFilter.from_environment(
            os.environ, no_plugins=self.no_plugins, disable=self.disabled
        )
        trace = (lambda line: self.err(f"trace: {line}")) if self.trace_plugins else None
        return Host(plugin_filter, path=self.path, reserved_verbs=self._verbs, trace=trace)

    def colored(self, stream: Any) -> bool:
        """Return True if output to `stream` is coloured."""
        if self.color is not None:
            return self.color
        known = self._colored.get(stream)
        if known is None:  # asked for each line of an answer, which may have a million
            uncolored = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
            known = self._colored[stream] = not uncolored and self.terminal(stream)
        return known

    @staticmethod
    def terminal(stream: Any) -> bool:
        """Return True if a stream, which may be closed, is a terminal."""
        return bool(getattr(stream, "isatty", lambda: False)())

    def style(self, text: str, stream: Any = None, **style: Any) -> str:
        """Return `text` in a style if the stream (standard output by default) is coloured."""
        return click.style(text, **style) if self.colored(stream or sys.stdout) else text

    def err(self, text: str) -> None:
        """Write a line to standard error, except with `--quiet`."""
        if not self.quiet:
            if self.live is not None:
                self.live()
            if sys.stdout is not None:
                sys.stdout.flush()  # where both go to one place, in the order in which they were said
            click.echo(text, err=True, color=self.colored(sys.stderr))

    def out(self, text: str) -> None:
        """Write a line of the answer to standard output."""
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

    def raise_status(self, status: int) -> None:
        """Raise the exit status to `status` if it is lower."""
        self.status = max(self.status, status)

    def finish(self) -> int:
        """Warn of plugins that cannot be used, and return the exit status.

        With `--strict` all plugins are imported for that.
        """
        if self.strict:
            with contextlib.suppress(UsageError):  # switches that make no sense: printed already
                self.host.examine()
        if "host" in self.__dict__:
            printed: set[str] = set()
            for plugin in self.host.plugins:
                faults = list(plugin.warnings)
                if plugin.broken:
                    faults.append(f"is {plugin.status}: {plugin.reason}")
                for fault in faults:
                    line = f"warning: plugin {plugin.provider}: {fault}"
                    if line not in printed:  # one distribution may have many entry points
                        printed.add(line)
                        self.err(line)
                if faults and self.strict:
                    self.raise_status(4)
                if self.verbose and plugin.trace:
                    self.err(plugin.trace)
            for error in self.host.formats.failures.values():
                self.err(f"warning: plugin {error.provider}: {error.message}")
                if self.strict:
                    self.raise_status(4)
        return int(self.status)

    def watch(self, kind: Literal["save", "load", "verify"], subject: str) -> Watch:
        """Return what notifies the observers of one operation, with a warning for one that raises."""
        from domctx_core.model.observer import Observer, Operation, Watch

        def dropped(observer: Observer, error: BaseException) -> None:
            name = f"{type(observer).__module__}.{type(observer).__qualname__}"
            whose = self.host.observer_provider(observer)
            self.err(f"warning: plugin {whose}: its observer {name} raised {describe(error)}")
            if self.strict:
                self.raise_status(4)

        return Watch(self.host.observers(), Operation(kind, subject), dropped)

    def standard_input(self) -> BinaryIO:
        """Return standard input as a binary file, unbuffered if possible."""
        if sys.stdin is None:
            raise InputOutputError("standard input is closed")
        buffer = sys.stdin.buffer
        raw: BinaryIO = getattr(buffer, "raw", buffer)
        return raw

    def standard_input_if_open(self) -> BinaryIO | None:
        """Return standard input, or None if it is closed."""
        return None if sys.stdin is None else self.standard_input()

    def standard_output(self) -> BinaryIO:
        """Return standard output for binary data; raise `UsageError` if it is a terminal."""
        if sys.stdout is None:
            raise InputOutputError("standard output is closed")
        if sys.stdout.isatty():
            raise UsageError(
                "an image is binary, and standard output is a terminal",
                hint="give a file, or send it through a pipe",
            )
        return sys.stdout.buffer
