"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from domctx_core.base.io import DEFAULT_CAP
from domctx_core.cli.inputs import parse_size

if TYPE_CHECKING:
    from domctx_core.base.xen_version import XenVersion

__all__ = ["cap_option", "target_option", "xen_option"]

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def cap_option(does: str = "Largest body to hold in memory, such as 64M.") -> Decorator:
    """Return a decorator that adds the option `--cap`, a number of bytes, with the help `does`."""
    return click.option(
        "--cap",
        type=parse_size,
        default=f"{DEFAULT_CAP >> 20}M",
        show_default=True,
        metavar="SIZE",
        help=does,
    )


def _version(text: str) -> XenVersion:
    from domctx_core.base.xen_version import XenVersion

    return XenVersion.parse(text)


def xen_option(does: str) -> Decorator:
    """Return a decorator that adds the option `--xen`, a version, with the help `does`."""
    return click.option("--xen", type=_version, metavar="MAJOR.MINOR", help=does)


target_option: Decorator = click.option(
    "--target-xen",
    "target",
    type=_version,
    metavar="MAJOR.MINOR",
    help="The Xen that is to load it: an image of a newer one is an error.",
)
"""A decorator that gives a command `--target-xen` as `target`."""
