"""Checks across the records of one image, for what a record type cannot judge by itself.

A check is a class; each image that is verified or loaded gets an instance of its own. A problem that
is an error makes `verify` fail and `load` refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from domctx_core.base.errors import (
    PLUGIN_ERRORS,
    DeclarationError,
    DomctxError,
    Errno,
    PluginError,
    describe,
)
from domctx_core.base.problems import Problem, Rule
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.record_view import RecordView

if TYPE_CHECKING:
    # its columns take a millisecond to import, and `show` has no use for them
    from domctx_core.model.check_run import Run

__all__ = [
    "Check",
    "Container",
    "check_fault",
    "make_check",
    "placed_problems_of",
    "problems_of",
    "validate_check",
]


class Container(NamedTuple):
    """The container whose records a check sees.

    `path` are the format names from the outermost container to this one; `offset` is where it
    starts, from the start of the file; `version`, `byteorder` and `prologue` come from its framing
    (a domain context has version 1 and no prologue). `within` is the record of the container
    `outer` that holds this one or announces it; both are None for the outermost. `checks` are
    those that run on this container.
    """

    path: tuple[str, ...]
    offset: int
    version: int
    byteorder: ByteOrder
    prologue: tuple[Body, ...] = ()
    within: RecordView | None = None
    outer: Container | None = None
    checks: tuple[Check, ...] = ()

    def find(self, check: type[C]) -> C | None:
        """Return the check of a class that runs on this container, if there is one.

        So the check of an inner container learns what that of an outer one has found so far, as
        in `container.outer.find(LibxcCheck)`.
        """
        return next((running for running in self.checks if isinstance(running, check)), None)


class Check:
    """Subclass it, set the `format` and the type `codes` that it wants, and override the methods.

    `rules` are the rules that it brings; their ids begin with the plugin's name and a slash. Of
    the types in `first_of_row`, bulk ones among `codes`, it need not see records that come right
    after another of the type and break no rule by themselves: it may not be shown them.
    """

    format: ClassVar[str] = "domain-context"
    codes: ClassVar[frozenset[int]] = frozenset()
    first_of_row: ClassVar[frozenset[int]] = frozenset()
    rules: ClassVar[tuple[Rule, ...]] = ()

    def begin(self, container: Container) -> Iterable[Problem]:
        """Yield problems before the first record, once: not again where the container is resumed.

        Their offsets count from the start of the container.
        """
        return ()

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Yield problems of a record whose code is in `codes`; records come in image order.

        One may itself be invalid or cut short: look at `seen.body` before anything else.
        """
        return ()

    def records(self, run: Run) -> Iterable[tuple[int, Problem]]:
        """Yield problems of a run of records that are valid by themselves, in place of `record`.

        Each comes with the number of its record in the run, in ascending order. Override it beside
        `record`, to the same effect, where a check has to be fast with many records: otherwise it
        is given each of them.
        """
        for number, seen in enumerate(run):
            for problem in self.record(seen):
                yield number, problem

    def end(self) -> Iterable[tuple[RecordView | None, Problem]]:
        """Yield problems after the last record, each with the record that it is about, or None.

        Not called where the container is not read to its end. Offsets count from the start of
        that record's body, or of the container.
        """
        return ()


C = TypeVar("C", bound=Check)
T = TypeVar("T")


def validate_check(check: type[Check]) -> None:
    """Raise `DeclarationError` for an invalid class attribute of a check."""
    where = f"{check.__module__}.{check.__qualname__}"
    for name in ("codes", "first_of_row"):
        codes: Any = getattr(check, name)
        if not (isinstance(codes, Collection) and all(isinstance(code, int) for code in codes)):
            raise DeclarationError(
                f"`{name}` of the check {where} is not a set of type codes",
                expected="a frozenset of integers",
                actual=repr(codes)[:80],
            )
    rules: Any = check.rules
    if not (isinstance(rules, (tuple, list)) and all(isinstance(rule, Rule) for rule in rules)):
        raise DeclarationError(
            f"`rules` of the check {where} is not a tuple of rules",
            expected="a tuple of Rule",
            actual=repr(rules)[:80],
        )
    if not isinstance(check.format, str):
        raise DeclarationError(
            f"`format` of the check {where} is not a name",
            expected="the name of a format",
            actual=repr(check.format)[:80],
        )


def make_check(check: type[C]) -> C:
    """Return an instance for one image; raise `PluginError` where its class raises."""
    try:
        return check()
    except DomctxError:
        raise
    except PLUGIN_ERRORS as error:
        raise check_fault(check, error) from error


def problems_of(
    check: Check, method: Callable[..., Iterable[Problem]], *about: object
) -> Iterator[Problem]:
    """Yield the problems that `begin` or `record` of a check returns.

    Raises `PluginError` for what it raises, other than a `DomctxError`, and for an invalid answer.
    """
    try:
        for problem in method(*about):
            yield _valid(problem, isinstance(problem, Problem), "a Problem")
    except DomctxError:
        raise
    except PLUGIN_ERRORS as error:
        raise check_fault(type(check), error) from error


def placed_problems_of(check: Check, run: Run | None = None) -> Iterator[tuple[Any, Problem]]:
    """Yield the problems of `records`, without a run of `end`, with what they are about; as above."""
    try:
        for answer in check.end() if run is None else check.records(run):
            pair = isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], Problem)
            if pair and run is None:
                pair = answer[0] is None or isinstance(answer[0], RecordView)
            elif pair and run is not None:
                pair = isinstance(answer[0], int) and 0 <= answer[0] < len(run)
            yield _valid(answer, pair, "a tuple of a place and a Problem")
    except DomctxError:
        raise
    except PLUGIN_ERRORS as error:
        raise check_fault(type(check), error) from error


def _valid(answer: T, valid: bool, expected: str) -> T:
    if not valid:
        raise TypeError(f"expected {expected}, found {answer!r:.80}")
    return answer


def check_fault(check: type[Check], error: BaseException) -> PluginError:
    """Return what a check raised as the fault of its plugin."""
    return PluginError(
        f"the check {check.__module__}.{check.__qualname__} raised {describe(error)}",
        errno=Errno.EIO,
    )
