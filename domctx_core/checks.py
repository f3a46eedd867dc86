"""Checks across the records of one image: what no single record can see.

A check is a class; each image that is verified or loaded gets an instance of its own. What a
check reports as an error makes `verify` fail and `load` refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from domctx_core.errors import DomctxError, Errno, PluginError
from domctx_core.layout import Body
from domctx_core.rules import Problem, Rule

__all__ = ["Check", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as a check sees it.

    `index` counts records of its container, `offset` is where its header starts, from the start
    of the file. `body` is None where the bytes cannot be decoded.
    """

    index: int
    offset: int
    code: int
    name: str
    instance: int | None
    length: int
    body: Body | None


class Check:
    """Subclass it, say which `format` and which type `codes` it wants, and override `record`.

    `rules` are the rules that it brings; their ids begin with the plugin's name and a slash.
    """

    format: ClassVar[str] = "domain-context"
    codes: ClassVar[frozenset[int]] = frozenset()
    rules: ClassVar[tuple[Rule, ...]] = ()

    def record(self, seen: Seen) -> Iterable[Problem]:
        """Called for each record whose code is in `codes`, in image order.

        On a load, that is each record that its handler takes whole (`context.read`); one that is
        taken piece by piece is seen by `verify` only.
        """
        return ()

    def end(self) -> Iterable[tuple[Seen | None, Problem]]:
        """Called after the last record; a problem may name the record that it is about."""
        return ()


@contextmanager
def blame_check(check: Check) -> Iterator[None]:
    """What a check raises that is none of ours is its plugin's fault, and the error says so."""
    try:
        yield
    except DomctxError:
        raise
    except Exception as error:
        raise PluginError(
            f"the check {type(check).__module__}.{type(check).__qualname__} raised"
            f" {type(error).__name__}: {error}",
            errno=Errno.EIO,
        ) from error
