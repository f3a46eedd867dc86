"""Record types: what a plugin contributes, and what it may say to the engine.

A record type has a type code, a name, a body class and, where the default does not do, `save`
and `load`. The default saves every instance that the domain has of that body, and loads by
writing the body back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from domctx_core.errors import DeclarationError, Errno
from domctx_core.layout import Body, ByteOrder
from domctx_core.rules import Problem

if TYPE_CHECKING:
    import random

    from domctx_core.context import LoadContext, SaveContext
    from domctx_core.domains import Domain, Guest, XenVersion

__all__ = ["ANY", "PER_VCPU", "SINGLE", "Content", "Instances", "RecordType", "Tally"]

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True)
class Instances:
    """Which instances a record type may have: those below `limit` (None: any 32-bit number).

    `errno` is what a load says of others. `per_vcpu` says that the instance is a vCPU's number.
    """

    limit: int | None = None
    errno: Errno = Errno.ENXIO
    per_vcpu: bool = False


_TRIES = 200
"""Bodies that are made up by chance until one breaks no rule."""

ANY = Instances()
"""Any instance: a port, a page, a number that the author gives a meaning."""

SINGLE = Instances(limit=1)
"""One record a domain, instance 0."""

PER_VCPU = Instances(per_vcpu=True)
"""One record a vCPU; the instance is its number."""


@dataclass(frozen=True, slots=True)
class Content:
    """Another format inside or right after a record.

    `format` is the inner format's name (None: whatever the bytes show). `inline` says that it
    follows the record in the stream and is no part of its body. `resumes` says that it goes on
    where that format was suspended, without a new prologue. `optional` says of a format inside
    the body that a reader may do without it: where no plugin knows it, the body stays as it is,
    and `verify` says so in a note.
    """

    format: str | None = None
    inline: bool = False
    resumes: bool = False
    optional: bool = False


class Tally(Generic[B]):
    """Adds up the heads of bulk records that stand in a row, so that one line can tell of them."""

    def add(self, head: B) -> None:
        """Count one more head; nothing of it need be kept."""
        raise NotImplementedError

    def text(self) -> str:
        """What was counted, on one line."""
        raise NotImplementedError


class RecordType(Generic[B]):
    """One type of record. Subclass it and set the class attributes.

    * `code`: the type code, an unsigned 32-bit number, unique in its format;
    * `name`: its name, unique in its format; in a domain context at most 15 ASCII characters;
    * `body`: the `Body` class of what it holds;
    * `instances`: `SINGLE`, `PER_VCPU`, `ANY` or an `Instances` of your own;
    * `after`: names of record types that, where they are in an image, come earlier;
    * `ignore_rest`: the body may be longer than its fields say, and the rest means nothing;
    * `bulk`: the body is too large to be of interest as such (guest pages): it is skipped, not
      read, unless somebody asks for it; `prefix` may except its first bytes;
    * `loadable`: false for a type that can be looked at and not loaded;
    * `content`: another format inside the body or right after the record;
    * `suspends`: after this record the enclosing format goes on, and this one may be resumed;
    * `rules`: replaces the id of a general rule by a more particular one.

    A record type keeps nothing between calls: `save` and `load` get all they need, and two
    operations may run at once.
    """

    code: ClassVar[int]
    name: ClassVar[str]
    body: ClassVar[type[Body]]
    instances: ClassVar[Instances] = ANY
    after: ClassVar[tuple[str, ...]] = ()
    ignore_rest: ClassVar[bool] = False
    bulk: ClassVar[bool] = False
    loadable: ClassVar[bool] = True
    content: ClassVar[Content | None] = None
    suspends: ClassVar[bool] = False
    rules: ClassVar[dict[str, str]] = {}

    def save(self, domain: Domain, context: SaveContext) -> None:
        """Write this type's records of `domain`, none to many, in ascending instance.

        On a dry run (`context.dry_run`) only the lengths count; zeros may stand for data.
        """
        for instance in domain.instances(self.body):
            context.write(instance, domain.read(self.body, instance))

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take one record over into `domain`.

        In a load of two phases `domain` is a staging view that only queues what is written; see
        `domctx_core.domains.StagedDomain.update` for changes that need the present state.
        """
        instance, body = context.read(self)
        domain.write(self.body, instance, body)

    def judge(
        self, instance: int | None, body: B, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Problems of a decoded record that its body alone cannot see.

        `receiver` is the Xen that is to load the image, where somebody says. What is an error
        here makes `verify` fail and `load` refuse. Offsets count from the start of the body.
        """
        return ()

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        """How many bytes at the start of a bulk body are its head; 0 where it has none.

        `first` are the body's first bytes, at most 64. The head is held and decoded with `body`;
        what follows it is skipped. Nothing is read for a head that is longer than its record.
        """
        return 0

    def extent(self, head: B) -> int | None:
        """How long, in bytes, a bulk body with this head must be; None where it does not say."""
        return None

    def tally(self) -> Tally[B] | None:
        """Something that adds up the heads of bulk records; None where there is no use in it."""
        return None

    def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, B]]:
        """Made-up state for a simulated domain: (instance, body), ascending by instance.

        The default makes valid bodies that have nothing to do with each other: one for a single
        type, one a vCPU, else four. Override it where records must fit together.
        """
        return self._examples(guest, rng)

    def _examples(self, guest: Guest, rng: random.Random) -> Iterator[tuple[int, B]]:
        count = 4
        if self.instances.per_vcpu:
            count = guest.vcpus or 1
        if self.instances.limit is not None:
            count = min(count, self.instances.limit)
        body: Any = self.body
        for instance in range(count):
            made = body.example(rng)
            for _ in range(_TRIES):
                if all(problem.severity is not None for problem in made.problems()):
                    break  # `check` may want fields to agree, which chance alone does not know
                made = body.example(rng)
            yield instance, made

    def __repr__(self) -> str:
        return f"<record type {self.code} {self.name}>"


def validate_record_type(record_type: Any) -> RecordType[Any]:
    """The record type that an author handed over, as an instance; a class is instantiated.

    Raises `DeclarationError` that says what is missing or wrong.
    """
    if isinstance(record_type, type) and issubclass(record_type, RecordType):
        record_type = record_type()
    if not isinstance(record_type, RecordType):
        raise DeclarationError(
            f"{record_type!r:.80} is not a record type",
            expected="a subclass of domctx_core.RecordType, or an instance of one",
            actual=type(record_type).__name__,
        )
    who = type(record_type).__name__
    for attribute in ("code", "name", "body"):
        if not hasattr(record_type, attribute):
            raise DeclarationError(f"{who} declares no `{attribute}`")
    code, body = record_type.code, record_type.body
    if type(code) is not int or not 0 <= code < 2**32:
        raise DeclarationError(
            f"{who}: the type code is not an unsigned 32-bit number",
            expected="0 to 4294967295",
            actual=code,
        )
    if not (isinstance(body, type) and issubclass(body, Body)):
        raise DeclarationError(f"{who}: `body` is not a Body class", actual=repr(body))
    body.__layout__  # noqa: B018  # a layout that cannot be compiled is found here, not later
    return record_type
