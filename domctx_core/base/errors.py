"""The errors of domctx: one tree, and each error knows where and what.

::

    DomctxError
    +-- ImageError            the bytes of an image or stream are wrong
    |   +-- BodyError         one body cannot be decoded or encoded
    |   +-- DocumentError     a JSON document does not describe an image
    +-- DomainError           a domain refuses, or is not there
    |   +-- NoState           the domain has no state of that kind
    +-- InputOutputError      something cannot be read or written
    +-- UsageError            the caller asked for something that does not exist
    +-- PluginError           a plugin is missing, broken, incompatible or raised
        +-- ConflictError     two providers claim one type code or name
        +-- DeclarationError  a record type or body is declared wrongly
        +-- MisuseError       a handler broke the protocol of begin, data, end

`Errno` is Xen's public table; its numbers are Linux's, whatever the host is.
"""

from __future__ import annotations

import errno as _errno
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from domctx_core.base.text import one_line

__all__ = [
    "PLUGIN_ERRORS",
    "BodyError",
    "ConflictError",
    "DeclarationError",
    "DocumentError",
    "DocumentFault",
    "DomainError",
    "DomctxError",
    "Errno",
    "ImageError",
    "InputOutputError",
    "MisuseError",
    "NoState",
    "PluginError",
    "UsageError",
    "as_errno",
    "describe",
    "io_error",
]


class Errno(IntEnum):
    """Error numbers of Xen's public interface, as the seed's engine returns them (negated).

    Those that it uses, and those of files that cannot be opened.
    """

    EPERM = 1
    ENOENT = 2
    EIO = 5
    ENXIO = 6
    E2BIG = 7
    ENOMEM = 12
    EACCES = 13
    EFAULT = 14
    EBUSY = 16
    EEXIST = 17
    ENOTDIR = 20
    EISDIR = 21
    EINVAL = 22
    EMFILE = 24
    ENOSPC = 28
    EROFS = 30
    ENAMETOOLONG = 36
    ENODATA = 61
    EBADMSG = 74
    EOVERFLOW = 75
    EOPNOTSUPP = 95
    ENOBUFS = 105


class DomctxError(Exception):
    """Base of every error that domctx raises on purpose.

    All details are optional keywords, None if they do not apply.

    `errno` is what the seed's engine would have returned; `rule` the id of the broken rule of
    `verify`; `offset` counts bytes from the start of the source; `record` is the index of the
    record in its image; `type` its type code; `type_name` its name; `instance` its instance;
    `field` the field of its body; `expected` is what should have been there and `actual` what was;
    `provider` is the distribution whose code was running; `hint` is what to try.
    """

    errno: Errno | None = None

    def __init__(
        self,
        message: str,
        *,
        errno: Errno | None = None,
        rule: str | None = None,
        offset: int | None = None,
        record: int | None = None,
        type: int | None = None,
        type_name: str | None = None,
        instance: int | None = None,
        field: str | None = None,
        expected: Any = None,
        actual: Any = None,
        provider: object | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if errno is not None:
            self.errno = errno
        self.rule = rule
        self.offset = offset
        self.record = record
        self.type = type
        self.type_name = type_name
        self.instance = instance
        self.field = field
        self.expected = expected
        self.actual = actual
        self.provider = provider
        self.hint = hint

    def locate(self, **details: Any) -> None:
        """Set details that are still None: outer layers know more than the one that raised."""
        for name, value in details.items():
            if getattr(self, name) is None:
                setattr(self, name, value)


class ImageError(DomctxError):
    """The bytes of an image or stream break a rule."""

    errno = Errno.EINVAL


class BodyError(ImageError):
    """A body cannot be decoded, or a value cannot be encoded."""


class DocumentFault(NamedTuple):
    """One fault of a JSON document.

    `path` is its place, such as `records[3].body.mode` (`line 4: body.mode` in a document of lines;
    empty for the whole document). `needs_plugin`: a plugin is missing, unusable or raised.
    """

    path: str
    message: str
    expected: Any = None
    actual: Any = None
    hint: str | None = None
    needs_plugin: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DocumentError(ImageError):
    """A JSON document does not describe an image; `faults` has all faults found."""

    def __init__(self, faults: Sequence[DocumentFault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(
            f"{first}{more}",
            field=first.path or None,
            expected=first.expected,
            actual=first.actual,
            hint=first.hint,
        )
        self.faults = tuple(faults)


class DomainError(DomctxError):
    """A domain refuses what was asked of it."""

    errno = Errno.EINVAL


class NoState(DomainError):
    """The domain keeps no state of that body class and instance."""

    errno = Errno.ENOENT


class InputOutputError(DomctxError):
    """An input or output cannot be opened, read or written."""

    errno = Errno.EIO


class UsageError(DomctxError):
    """The caller named something that does not exist: a verb, an option, a scheme, a rule."""

    errno = Errno.EINVAL


class PluginError(DomctxError):
    """A plugin that is needed is missing, broken, disabled, incompatible, or raised."""

    errno = Errno.EINVAL


class ConflictError(PluginError):
    """Two providers claim one type code or name; neither is used."""

    errno = Errno.EEXIST


class DeclarationError(PluginError):
    """A body, record type or format is declared in a way that cannot work."""


class MisuseError(PluginError):
    """A handler broke the protocol of begin, data and end: a programming error in it."""


PLUGIN_ERRORS = (Exception, SystemExit)
"""Exceptions of a plugin's code that count as its failure and end only the call that raised them.

KeyboardInterrupt is the user's and passes through.
"""

_LONGEST = 500
"""Characters of an exception's text that a message repeats."""


def describe(error: BaseException) -> str:
    """Return the type and the text of an exception, on one line."""
    try:
        text = one_line(" ".join(str(error).split()))  # runs a plugin's `__str__`, which may raise
    except PLUGIN_ERRORS:
        text = ""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def as_errno(error: OSError) -> Errno:
    """Return the error number of a failed system call; EIO if Xen's table does not have it."""
    try:
        return Errno[_errno.errorcode[error.errno or 0]]
    except KeyError:
        return Errno.EIO


def io_error(what: str, error: OSError, *, hint: str | None = None) -> InputOutputError:
    """Return the error for an operation, such as `read PATH`, that failed with `error`."""
    return InputOutputError(
        f"cannot {what}: {error.strerror or error}", errno=as_errno(error), hint=hint
    )
