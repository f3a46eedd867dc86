"""The group `domctx`: its global options and its verbs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from domctx_core._version import __version__
from domctx_core.base.errors import DomctxError, PluginError, UsageError, describe
from domctx_core.cli.app import App

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["VERBS", "domctx"]

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


def _app(context: click.Context) -> App:
    app: App = context.find_root().obj
    return app


_WHERE = "`domctx -v` shows where"


class Verbs(click.Group):
    """The group of verbs; each is imported when it is used."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Apply the global options before the verb is looked up, which may be a plugin's."""
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
        """Return the matching verbs with their help, without importing them, and the options."""
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
        """Run the verb; turn what a plugin's verb raises into a `PluginError`."""
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
