"""The page: templates filled in piece by piece, so that no more of it is held than one record.

All that comes from an image or a plugin is text: it is escaped wherever it stands, and the page's
own policy forbids any script and style but the two that it was written with.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from domctx_core._version import __version__
from domctx_core.report.model import Report

__all__ = ["render_report"]

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""What a page cannot hold, or what would turn the text around it: control and direction."""


def render_report(report: Report) -> Iterator[str]:
    """Yield the HTML page of a report in parts; records are rendered as they are needed."""
    style, script = _part("style.css"), _part("script.js")
    template = _environment().get_template("page.html")
    yield from template.generate(
        report=report,
        version=__version__,
        style=style,
        script=script,
        policy=(
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
            " base-uri 'none'; form-action 'none'"
        ),
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("domctx_core.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {
        "number": "{:,}".format,
        "hex": "{:#010x}".format,
        "size": _size,
        "px": "{:.1f}".format,
        "percent": _percent,
        "prose": _prose,
        "scale": _scale,
    }
    return environment


def _part(name: str) -> Markup:
    """Return the text of one of our own files, marked as safe."""
    return Markup(files(__package__).joinpath("templates", name).read_text("utf-8"))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _visible(value: object) -> object:
    """Return a value as text that is safe in a page; markup is kept."""
    if isinstance(value, (Markup, jinja2.Undefined)):
        return value
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(value))


def _size(size: int) -> str:
    """Return a number of bytes as text."""
    for unit, factor, least in (("GiB", 1 << 30, 1), ("MiB", 1 << 20, 1), ("KiB", 1 << 10, 4)):
        if size >= least * factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size:,} byte{'s' * (size != 1)}"


def _prose(text: str) -> Markup:
    """Return a sentence with the words between backticks as code."""
    parts = str(_visible(text)).split("`")
    if len(parts) % 2 == 0:
        return Markup(escape("`".join(parts)))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def _scale(scale: float) -> str:
    """Return the text for the number of bytes in a pixel."""
    if scale >= 4096:
        return _size(round(scale))
    return f"{scale:,.0f} bytes" if scale >= 10 else f"{scale:.1f} bytes"


def _percent(value: float) -> str:
    return f"{value:.3f}%"
