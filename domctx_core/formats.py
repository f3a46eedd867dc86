"""Formats: framing plus a registry of record types.

A format says what comes before the first record (the prologue), what a record's header looks
like, what records are padded to, and which record is the last. It says so with the same `Body`
declarations that record types use, so that every tool works on every format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from domctx_core.base.errors import PLUGIN_FAULTS, DeclarationError, PluginError, said
from domctx_core.base.problems import Severity
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.registry import DOMAIN_CONTEXT, Provider, Registry
from domctx_core.wire import ALIGNMENT, RecordHeader, byteorder_of

__all__ = ["HEAD_SIZE", "DomainContext", "Format", "Formats", "Framing"]

HEAD_SIZE = 64
"""Bytes from the start of an input that a format is recognised by."""


class Framing(NamedTuple):
    """What a prologue says about the records after it.

    `follows` names the format that stands in place of records, in formats that have none.
    """

    byteorder: ByteOrder
    version: int
    follows: str | None = None


class Format:
    """One format. Subclass it, set the class attributes and override what depends on the bytes.

    * `name`: unique, such as `libxc`; `title`: for people, such as `libxc migration stream`;
    * `header`: the body of a record header, of fixed size, with integer fields `type`, `length`
      and perhaps `instance`; None for a format without records;
    * `alignment`: a record's body is padded with zeros to a multiple of this;
    * `padding`: how grave it is where that padding is not zero; readers of the format may be told
      to ignore it;
    * `first`: type code of the record that must come first and only once, if there is one;
    * `last`: type code of the record that ends the format;
    * `ascending`: records are written in ascending type code;
    * `optional`: bits of a type code that mark a record which a reader may ignore;
    * `max_length`: the longest body that the format allows, in bytes;
    * `opaque`: in a format without records, all that follows the prologue belongs to it and is
      passed over, up to the end of what holds it.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    header: ClassVar[type[Body] | None] = None
    alignment: ClassVar[int] = 8
    padding: ClassVar[Severity] = Severity.ERROR
    first: ClassVar[int | None] = None
    last: ClassVar[int] = 0
    ascending: ClassVar[bool] = False
    optional: ClassVar[int] = 0
    max_length: ClassVar[int | None] = None
    opaque: ClassVar[bool] = False

    def recognises(self, head: bytes) -> bool:
        """Whether an input that begins with `head` (up to `HEAD_SIZE` bytes) is of this format."""
        return False

    def byteorder(self, head: bytes) -> ByteOrder:
        """The byte order of the prologue, for bodies that do not fix their own."""
        return "little"

    def prologue(self, bodies: Sequence[Body]) -> tuple[type[Body], int] | None:
        """The next body of the prologue and its length in bytes, after those read so far.

        None where the prologue is complete.
        """
        return None

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """What the prologue says about what follows; `head` is the input's first bytes."""
        raise NotImplementedError


class DomainContext(Format):
    """The domain context image: no prologue; START shows version and byte order."""

    name = DOMAIN_CONTEXT
    title = "domain context"
    header = RecordHeader
    alignment = ALIGNMENT
    first = 1
    last = 0
    ascending = True

    def recognises(self, head: bytes) -> bool:
        """An image begins with START: type 1, instance 0, length 8."""
        order = byteorder_of(head)
        return order is not None and head[4:8] == b"\0\0\0\0"

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        """Version 1, in the byte order that START's type code shows."""
        return Framing(byteorder_of(head) or "little", 1)


def _number(value: Any, least: int = 0) -> bool:
    return type(value) is int and least <= value < 1 << 64


_ATTRIBUTES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "title": (lambda value: isinstance(value, str), "a str"),
    "header": (
        lambda value: value is None or (isinstance(value, type) and issubclass(value, Body)),
        "a Body class, or None",
    ),
    "alignment": (lambda value: _number(value, 1), "a number of bytes, 1 or more"),
    "padding": (lambda value: isinstance(value, Severity), "a Severity"),
    "first": (lambda value: value is None or _number(value), "a type code, or None"),
    "last": (_number, "a type code"),
    "optional": (_number, "bits of a type code"),
    "max_length": (lambda value: value is None or _number(value), "a number of bytes, or None"),
}
"""What the attributes of a format have to be."""


def validate_format(format: Format) -> None:
    """Raise `DeclarationError` for what a format says of itself and cannot be."""
    for name, (fits, expected) in _ATTRIBUTES.items():
        value = getattr(format, name)
        if not fits(value):
            raise DeclarationError(
                f"`{name}` of the format {format.name} is not what it has to be",
                expected=expected,
                actual=repr(value)[:80],
            )


class _Known:
    def __init__(self, provider: Provider, load: Callable[[], Format]) -> None:
        self.provider = provider
        self.load = load
        self.format: Format | None = None


class Formats:
    """The formats at hand and the registry of each; formats are loaded when they are needed."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        #: Formats that raised where they were to recognise an input, and are passed over.
        self.failures: dict[str, PluginError] = {}
        #: Formats that an input was not tried against, since their plugins cannot be used.
        self.untried: dict[str, PluginError] = {}
        #: Called once when a format is looked up that is not there, and may add it.
        self.more: Callable[[], None] | None = None
        self._registries: dict[str, Registry] = {}

    def add(self, name: str, provider: Provider, load: Callable[[], Format]) -> None:
        """Add a format that `load` gives when it is needed."""
        if name in self._known:
            raise DeclarationError(
                f"the format {name} is declared twice, by {self._known[name].provider} and"
                f" {provider}"
            )
        self._known[name] = _Known(provider, load)

    def forget(self, name: str) -> None:
        """Let go of a format that was loaded: whoever asks next has it loaded again."""
        self._known[name].format = None

    def registry(self, name: str) -> Registry:
        """The registry of a format, which exists even where the format itself is unknown."""
        if name not in self._registries:
            self._registries[name] = Registry(name)
            self._registries[name].more = self.more
        return self._registries[name]

    def registries(self) -> Iterator[Registry]:
        """All registries: the domain context's first, the others by name."""
        for name in sorted(self._registries, key=lambda n: (n != DOMAIN_CONTEXT, n)):
            yield self._registries[name]

    def names(self) -> Iterable[str]:
        """The names of all formats, in the order in which they are tried."""
        return tuple(self._known)

    def knows(self, name: str) -> bool:
        """Whether any plugin declares a format of that name, usable or not."""
        return name in self._known or (self._ask_for_more() and name in self._known)

    def get(self, name: str) -> Format:
        """The format of that name; `PluginError` where there is none."""
        known = self._known.get(name)
        if known is None and self._ask_for_more():
            known = self._known.get(name)
        if known is None:
            raise PluginError(
                f"no installed plugin knows the format {name}",
                hint="install the plugin that declares it, such as domctx-plugin-xen-streams",
            )
        if known.format is None:
            made = known.load()
            if not isinstance(made, Format) or made.name != name:
                raise DeclarationError(
                    f"the entry point {name} of {known.provider} does not give that format",
                    expected=f"a Format named {name}",
                    actual=repr(getattr(made, "name", made)),
                    provider=known.provider,
                )
            try:
                validate_format(made)
            except DeclarationError as error:
                error.locate(provider=known.provider)
                raise
            except PLUGIN_FAULTS as error:
                raise DeclarationError(
                    f"the format {name} raised {said(error)}, where it was asked what it is",
                    provider=known.provider,
                ) from error
            known.format = made
        return known.format

    def provider(self, name: str) -> Provider:
        """Who declares a format."""
        return self._known[name].provider

    def recognise(self, head: bytes) -> Format | None:
        """The format of an input that begins with `head`; None where no known one fits.

        The core's own formats are tried first; others are only imported where those do not fit.
        """
        found = self._recognise(head, tuple(self._known))
        if found is None:
            before = set(self._known)
            if self._ask_for_more():
                found = self._recognise(head, [n for n in self._known if n not in before])
        return found

    def _recognise(self, head: bytes, names: Iterable[str]) -> Format | None:
        for name in names:
            try:
                format = self.get(name)
            except PluginError as error:  # one that is broken is not needed unless it is named
                self.untried[name] = error
                continue
            try:
                if format.recognises(head):
                    return format
            except PLUGIN_FAULTS as error:
                self.failures[name] = PluginError(
                    f"the format {name} raised {said(error)}, where it was to recognise an input",
                    provider=self.provider(name),
                )
        return None

    def _ask_for_more(self) -> bool:
        more, self.more = self.more, None
        if more is not None:
            more()
        return more is not None
