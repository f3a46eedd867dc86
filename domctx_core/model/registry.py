"""The registry: the seed's `fns[]` table, one for each format.

An entry has a type code, a name that the registry owns a copy of, the provider that it came from,
and the record type itself, which is loaded when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from domctx_core.base.errors import ConflictError, DeclarationError, PluginError, describe
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.layout.body import Body
from domctx_core.model.record_type import RecordType, all_bodies
from domctx_core.model.validation import copy_name, validate_record_type
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["CORE", "Entry", "Provider", "Registry"]

CORE = "domctx-core"
"""The distribution whose declarations are built in."""


class Provider(NamedTuple):
    """Where a declaration comes from: a distribution, or a module that belongs to none."""

    dist: str
    version: str

    def __str__(self) -> str:
        return f"{self.dist} {self.version}"

    def to_json(self) -> dict[str, str]:
        """Return the object that `show --json` prints."""
        return {"dist": self.dist, "version": self.version}


class Entry:
    """One row of the table.

    `buffer` is the registry's 16-byte copy of the name, None in formats whose names may be longer.
    `unusable` is the error that any use of the record type raises, None if it can be used. An entry
    that is `withdrawn` (disabled, incompatible) is in no conflict with others.
    """

    __slots__ = (
        "_load", "_record_type", "buffer", "code", "name", "provider", "unusable", "withdrawn"
    )  # fmt: skip

    def __init__(
        self,
        code: int,
        name: str,
        buffer: bytes | None,
        provider: Provider,
        load: Callable[[], RecordType[Any]],
    ) -> None:
        self.code = code
        self.name = name
        self.buffer = buffer
        self.provider = provider
        self._load = load
        self._record_type: RecordType[Any] | None = None
        self.unusable: PluginError | None = None
        self.withdrawn = False

    def __repr__(self) -> str:
        return f"<Entry {self.code}.{self.name} of {self.provider}>"

    @property
    def loaded(self) -> bool:
        """Whether the record type has been imported."""
        return self._record_type is not None

    @property
    def record_type(self) -> RecordType[Any]:
        """The record type; imports it the first time.

        Raises `PluginError` if that fails, or if what was loaded is not what was declared; the same
        error each time.
        """
        if self.unusable is not None:
            raise self.unusable
        if self._record_type is None:
            try:
                self._record_type = self._checked(validate_record_type(self._load()))
            except Exception as error:
                self.unusable = _unusable(self, error)
                raise self.unusable from error
        return self._record_type

    def _checked(self, record_type: RecordType[Any]) -> RecordType[Any]:
        name: object = record_type.name
        if self.buffer is not None:
            name = copy_name(name).rstrip(b"\0").decode("ascii")
        if (record_type.code, name) != (self.code, self.name):
            raise DeclarationError(
                f"the entry point of {self.provider} declares {self.code}.{self.name}, but"
                f" {type(record_type).__name__} is {record_type.code}.{record_type.name}",
                expected=f"{self.code}.{self.name}",
                actual=f"{record_type.code}.{record_type.name}",
                provider=self.provider,
            )
        return record_type


def _unusable(entry: Entry, error: Exception) -> PluginError:
    if isinstance(error, PluginError):
        error.locate(type=entry.code, type_name=entry.name, provider=entry.provider)
        return error
    return PluginError(
        f"{entry.name} cannot be loaded: {describe(error)}",
        type=entry.code,
        type_name=entry.name,
        provider=entry.provider,
    )


class Registry:
    """The record types of one format, by code and by name; `rules` are those that they may break."""

    def __init__(self, format: str = DOMAIN_CONTEXT, rules: Rules = CORE_ONLY) -> None:
        self.format = format
        self.rules = rules
        self._by_code: dict[int, list[Entry]] = {}
        self._by_name: dict[str, list[Entry]] = {}
        #: Called once when something is looked up that is not there, and may add it.
        self.more: Callable[[], None] | None = None

    # -------------------------------------------------------------------------------- filling it

    def register(
        self, record_type: RecordType[Any] | type[RecordType[Any]], provider: Provider
    ) -> Entry:
        """Add a record type.

        Raises `DeclarationError` if it is declared wrongly, and `ConflictError` if its code or name
        is taken; the registry is then as it was.
        """
        checked = validate_record_type(record_type)
        entry = self._entry(checked.code, checked.name, provider, lambda: checked)
        rivals = self._rivals(entry)
        if rivals:
            raise conflict([rivals[0], entry], self.format)
        entry._record_type = checked
        self._insert(entry)
        return entry

    def declare(
        self,
        code: int,
        name: str,
        provider: Provider,
        load: Callable[[], RecordType[Any]],
        *,
        withdrawn: PluginError | None = None,
    ) -> Entry:
        """Add a record type that is imported later, by `load`.

        A code or name that is taken is accepted here; any use of either of the two is an error.
        `withdrawn` is the error that any use raises, for a type that is known but must not be used.
        """
        entry = self._entry(code, name, provider, load)
        entry.unusable, entry.withdrawn = withdrawn, withdrawn is not None
        self._insert(entry)
        return entry

    def _entry(
        self, code: int, name: object, provider: Provider, load: Callable[[], RecordType[Any]]
    ) -> Entry:
        buffer = None
        if self.format == DOMAIN_CONTEXT:
            buffer = copy_name(name)
            text = buffer.rstrip(b"\0").decode("ascii")
        elif isinstance(name, str) and name and name.isascii() and name.isprintable():
            text = name
        else:
            raise DeclarationError(
                "the name of a record type is not printable ASCII", actual=repr(name)
            )
        return Entry(code, text, buffer, provider, load)

    def _insert(self, entry: Entry) -> None:
        self._by_code.setdefault(entry.code, []).append(entry)
        self._by_name.setdefault(entry.name, []).append(entry)

    def _rivals(self, entry: Entry) -> list[Entry]:
        same = [*self._by_code.get(entry.code, ()), *self._by_name.get(entry.name, ())]
        if entry.withdrawn:
            return []
        return [other for other in same if other is not entry and not other.withdrawn]

    # ------------------------------------------------------------------------------- looking up

    def get(self, code: int) -> Entry | None:
        """Return the entry of a type code; None if it is not declared.

        Raises `ConflictError` if more than one provider claims the code, or the name that goes with
        it.
        """
        return self._pick(lambda: self._by_code.get(code))

    def find(self, name: str) -> Entry | None:
        """Return the entry of a name, with the same rules as `get`."""
        return self._pick(lambda: self._by_name.get(name))

    def _pick(self, claims: Callable[[], list[Entry] | None]) -> Entry | None:
        entries = claims()
        if entries is None and self.more is not None:
            more, self.more = self.more, None
            more()
            entries = claims()
        if entries is None:
            return None
        entry: Entry = next((each for each in entries if not each.withdrawn), entries[0])
        rivals = self._rivals(entry)
        if rivals:
            raise conflict([entry, *rivals], self.format)
        return entry

    def find_body(self, body: type[Body]) -> Entry | None:
        """Return the entry whose record type has this body class; None if there is none.

        Types that are loaded are asked first; others are loaded until one fits.
        """
        for entry in sorted(self, key=lambda entry: not entry.loaded):
            try:
                record_type = entry.record_type
            except PluginError:  # cannot be used, so no body can be of its class
                continue
            if body in all_bodies(record_type):
                return entry
        return None

    def conflicts(self) -> list[ConflictError]:
        """Return one error for each set of entries that claim the same code or name."""
        found: dict[frozenset[int], ConflictError] = {}
        for entry in self:
            rivals = [entry, *self._rivals(entry)]
            if len(rivals) > 1:
                key = frozenset(id(rival) for rival in rivals)
                found.setdefault(key, conflict(rivals, self.format))
        return list(found.values())

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries, codes ascending."""
        for code in sorted(self._by_code):
            yield from self._by_code[code]

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._by_code.values())


def conflict(entries: list[Entry], format: str) -> ConflictError:
    """Return the error that names all the providers of a code or name."""
    unique = list({id(entry): entry for entry in entries}.values())
    first, second = unique[0], unique[1]
    # the core's own cannot be disabled; of two of one distribution, one by itself can
    other = next((each for each in reversed(unique) if each.provider.dist != CORE), second)
    again = sum(each.provider.dist == other.provider.dist for each in unique) > 1
    where = "" if format == DOMAIN_CONTEXT else f"{format}/"
    disabled = f"{where}{other.code}.{other.name}" if again else other.provider.dist
    if first.code == second.code:
        what = f"type code {first.code} ({first.code:#x})"
    else:
        what = f"the name {first.name}"
    claims = " and ".join(f"{e.provider} ({e.code}.{e.name})" for e in unique)
    return ConflictError(
        f"{what} of format {format} is claimed by {claims}",
        rule="needs-plugin",
        type=first.code,
        type_name=first.name,
        hint=f"disable one of them, such as with `-p no:{disabled}`",
    )
