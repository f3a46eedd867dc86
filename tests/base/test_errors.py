"""The tree of errors and what each carries."""

import errno
import inspect
import re

import pytest

from domctx_core.base import errors
from domctx_core.base.errors import (
    BodyError,
    ConflictError,
    DeclarationError,
    DocumentError,
    DocumentFault,
    DomainError,
    DomctxError,
    Errno,
    ImageError,
    InputOutputError,
    MisuseError,
    NoState,
    PluginError,
    UsageError,
    as_errno,
    describe,
    io_error,
)


def drawn() -> dict[str, str]:
    """Parent of each class in the drawing of the module's docstring."""
    parents: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = re.match(r"    ([ |]*)(\+-- )?([A-Z]\w+)(  .*)?$", line)
        if match is None:
            continue
        depth, name = match.start(3), match[3]
        while stack and stack[-1][0] >= depth:
            stack.pop()
        parents[name] = stack[-1][1] if stack else "Exception"
        stack.append((depth, name))
    return parents


def test_the_drawing_is_the_tree() -> None:
    defined = {
        name: cls.__bases__[0].__name__
        for name, cls in vars(errors).items()
        if isinstance(cls, type) and issubclass(cls, Exception)
    }
    assert drawn() == defined
    assert set(defined) <= set(errors.__all__)


@pytest.mark.parametrize(
    ("cls", "number"),
    [
        (DomctxError, None),
        (ImageError, Errno.EINVAL),
        (BodyError, Errno.EINVAL),
        (DomainError, Errno.EINVAL),
        (NoState, Errno.ENOENT),
        (InputOutputError, Errno.EIO),
        (UsageError, Errno.EINVAL),
        (PluginError, Errno.EINVAL),
        (ConflictError, Errno.EEXIST),
        (DeclarationError, Errno.EINVAL),
        (MisuseError, Errno.EINVAL),
    ],
)
def test_the_errno_of_each_and_its_override(cls: type[DomctxError], number: Errno | None) -> None:
    error = cls("what is wrong")
    assert (error.errno, error.message, str(error)) == (number, "what is wrong", "what is wrong")
    assert cls("x", errno=Errno.ENXIO).errno is Errno.ENXIO
    assert cls("y").errno is number


DETAILS = [
    "rule", "offset", "record", "type", "type_name", "instance", "field", "expected", "actual",
    "provider", "hint",
]  # fmt: skip


def test_details_are_kept_and_none_where_not_given() -> None:
    bare = DomctxError("x")
    assert all(getattr(bare, name) is None for name in DETAILS)
    given = dict(zip(DETAILS, range(len(DETAILS)), strict=True))
    full = DomctxError("x", **given)  # type: ignore[arg-type]
    assert {name: getattr(full, name) for name in DETAILS} == given


def test_outer_layers_fill_in_only_what_is_missing() -> None:
    error = ImageError("x", offset=0, record=3)
    error.locate(offset=99, record=7, type=2, instance=0)
    assert (error.offset, error.record, error.type, error.instance) == (0, 3, 2, 0)
    with pytest.raises(AttributeError):
        error.locate(nonsense=1)


def test_error_numbers_are_those_of_xen() -> None:
    assert {e.name: e.value for e in Errno} == {
        "EPERM": 1, "ENOENT": 2, "EIO": 5, "ENXIO": 6, "E2BIG": 7, "ENOMEM": 12, "EFAULT": 14,
        "EBUSY": 16, "EEXIST": 17, "EINVAL": 22, "ENOSPC": 28, "ENODATA": 61, "EBADMSG": 74,
        "EOVERFLOW": 75, "EOPNOTSUPP": 95, "ENOBUFS": 105, "EACCES": 13, "EISDIR": 21,
        "EMFILE": 24, "ENAMETOOLONG": 36, "ENOTDIR": 20, "EROFS": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, Errno.ENOSPC),
        (errno.EPERM, Errno.EPERM),
        (errno.ENOENT, Errno.ENOENT),
        (errno.EPIPE, Errno.EIO),
        (99999, Errno.EIO),
        (None, Errno.EIO),
    ],
)
def test_a_system_error_maps_by_name(number: int | None, expected: Errno) -> None:
    error = OSError() if number is None else OSError(number, "text")
    assert as_errno(error) is expected


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (ValueError(), "ValueError"),
        (KeyError("a\n  b"), r"KeyError: 'a\n b'"),
        (OSError("a\nb\x1b"), r"OSError: a b\x1b"),
        (SystemExit(7), "SystemExit: 7"),
        (Mute(), "Mute"),
        (ValueError("z" * 501), f"ValueError: {'z' * 500}..."),
    ],
)
def test_an_exception_is_described_on_one_line(error: BaseException, text: str) -> None:
    assert describe(error) == text


def test_the_error_of_a_failed_operation() -> None:
    error = io_error("read a.img", OSError(errno.EACCES, "Permission denied"), hint="chmod")
    assert str(error) == "cannot read a.img: Permission denied"
    assert (error.errno, error.hint) == (Errno.EACCES, "chmod")
    assert str(io_error("sync", OSError("lost"))) == "cannot sync: lost"


def test_the_faults_of_a_document() -> None:
    faults = [
        DocumentFault("records[3].type", "expected a number", expected=1, actual="x", hint="try"),
        DocumentFault("", "no document"),
    ]
    error = DocumentError(faults)
    assert str(error) == "records[3].type: expected a number (and 1 more)"
    assert (error.field, error.expected, error.actual) == ("records[3].type", 1, "x")
    assert (error.hint, error.faults) == ("try", tuple(faults))
    assert str(DocumentError(faults[1:])) == "no document"
    assert DocumentError(faults[1:]).field is None
