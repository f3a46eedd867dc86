"""Record types: what a plugin contributes, and what it may say to the engine.

A record type has a type code, a name, a body class and, where the default does not do, `save`
and `load`. The default saves every instance that the domain has of that body, and loads by
writing the body back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from domctx_core.base.errors import DeclarationError, Errno
from domctx_core.base.problems import Problem
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.layout.kinds.scalars import Blob, Int

if TYPE_CHECKING:
    import random

    from domctx_core.base.xen_version import XenVersion
    from domctx_core.engine.load_context import LoadContext
    from domctx_core.engine.save_context import SaveContext
    from domctx_core.layout.columns.columns import Columns
    from domctx_core.model.domain import Domain, Guest
    from domctx_core.model.visuals import Amount, Link

__all__ = ["ANY", "PER_VCPU", "SINGLE", "Content", "Instances", "Part", "RecordType", "Tally"]

B = TypeVar("B", bound=Body)


class Instances(NamedTuple):
    """Which instances a record type may have: those below `limit` (None: any 32-bit number).

    `errno` is what a load says of others. `per_vcpu` says that the instance is a vCPU's number.
    """

    limit: int | None = None
    errno: Errno = Errno.ENXIO
    per_vcpu: bool = False


_TRIES = 200
"""Bodies that are made up by chance until one breaks no rule."""

FIRST = 64
"""Bytes of a bulk body that its record type may look at to say how long its head is."""

ANY = Instances()
"""Any instance: a port, a page, a number that the author gives a meaning."""

SINGLE = Instances(limit=1)
"""One record a domain, instance 0."""

PER_VCPU = Instances(per_vcpu=True)
"""One record a vCPU; the instance is its number."""


class Content(NamedTuple):
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


class Part(NamedTuple):
    """One of the things that follow the head of a bulk record, such as a page of guest memory.

    `key` tells it from all others of the domain (a PFN), `kind` says in a word or two what it is.
    `size` bytes from `offset`, which counts from the start of the body, are its content; none is
    a part too.
    """

    key: int
    kind: str
    offset: int
    size: int


class Tally(Generic[B]):
    """Adds up the heads of bulk records that stand in a row, so that one line can tell of them."""

    def add(self, head: B) -> None:
        """Count one more head; nothing of it need be kept."""
        raise NotImplementedError

    def text(self) -> str:
        """What was counted, on one line."""
        raise NotImplementedError

    def amounts(self) -> Iterable[Amount]:
        """What was counted as amounts of each kind, for a chart; none where there is no use in it."""
        return ()


class RecordType(Generic[B]):
    """One type of record. Subclass it and set the class attributes.

    * `code`: the type code, an unsigned 32-bit number, unique in its format;
    * `name`: its name, unique in its format; in a domain context at most 15 ASCII characters;
    * `body`: the `Body` class of what it holds;
    * `instances`: `SINGLE`, `PER_VCPU`, `ANY` or an `Instances` of your own;
    * `identity`: names of fields, numbers, text or bytes, that tell a record from others of its type
      and instance, such as a vCPU's number where the format has no instances; `diff` pairs by them;
    * `after`: names of record types that, where they are in an image, come earlier;
    * `ignore_rest`: the body may be longer than its fields say, and the rest means nothing;
    * `opaque`: most of the body is another program's affair, and no load of ours holds it: one that
      is longer than what is held in memory is passed over, with a note;
    * `bulk`: the body is too large to be of interest as such (guest pages): it is skipped, not
      read, unless somebody asks for it; `prefix` may except its first bytes;
    * `part`: what one of the `parts` of a bulk body is called;
    * `loadable`: false for a type that can be looked at and not loaded;
    * `remembered`: what the body says decides how records after it in the same container are laid
      out, so that the latest one is kept until the container ends;
    * `depends`: type codes of those remembered types that decide how this body is laid out; then
      `body_for` chooses among `body` and `bodies`. A domain keeps state by body class, so such a
      type of a domain context has `save` and `load` of its own;
    * `trusted_values`: instances for which `judge`, where it is overridden, has nothing to say
      whatever the body and the receiver; runs of such records need not ask it;
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
    identity: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    ignore_rest: ClassVar[bool] = False
    opaque: ClassVar[bool] = False
    bulk: ClassVar[bool] = False
    part: ClassVar[str] = "part"
    loadable: ClassVar[bool] = True
    remembered: ClassVar[bool] = False
    depends: ClassVar[tuple[int, ...]] = ()
    bodies: ClassVar[tuple[type[Body], ...]] = ()
    trusted_values: ClassVar[range | None] = None
    content: ClassVar[Content | None] = None
    suspends: ClassVar[bool] = False
    rules: ClassVar[dict[str, str]] = {}

    def save(self, domain: Domain, context: SaveContext) -> None:
        """Write this type's records of `domain`, none to many, in ascending instance.

        On a dry run (`context.dry_run`) only the lengths count; zeros may stand for data.
        """
        body: type[Any] = self.body
        run = context.run_of(domain, body)
        if run is not None:
            context.write_run(run)
            return
        for instance in domain.instances(self.body):
            context.write(instance, domain.read(self.body, instance))

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take one record over into `domain`.

        In a load of two phases `domain` is a staging view that only queues what is written; see
        `domctx_core.engine.staging.StagedDomain.update` for changes that need the present state.
        """
        instance, body = context.read(self)
        domain.write(self.body, instance, body)

    def load_run(self, domain: Domain, context: LoadContext, run: Columns[B]) -> bool:
        """Take a run of records over: the batch form of `load`, for a body of fixed size.

        The records follow each other in the image, their instances ascend, and their bodies break
        no rule. Gives whether the run was taken: where it was not, nothing has been written, and
        each record goes through `load`, which says what is wrong with it. Nothing is to be taken
        from `context`; `context.turn_to` makes one of the records the present one for an error.

        A type that overrides `load` and not this one gets each record through `load`.
        """
        body: type[Any] = self.body
        domain.write_run(body, run)
        return True

    def judge(
        self, instance: int | None, body: B, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Problems of a decoded record that its body alone cannot see.

        `receiver` is the Xen that is to load the image, where somebody says. What is an error
        here makes `verify` fail and `load` refuse. Offsets count from the start of the body.
        """
        return ()

    def body_for(self, earlier: Mapping[int, Body]) -> type[Body]:
        """The body class of a record that comes after those in `earlier`.

        `earlier` has the latest body of each type code in `depends` that came before in the same
        container and could be decoded. What is given is `body` or one of `bodies`; not called
        where `depends` is empty.
        """
        return self.body

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        """How many bytes at the start of a bulk body are its head; 0 where it has none.

        `first` are the body's first bytes, at most 64. The head is held and decoded with `body`;
        what follows it is skipped. Nothing is read for a head that is longer than its record.
        """
        return 0

    def extent(self, head: B) -> int | None:
        """How long, in bytes, a bulk body with this head must be; None where it does not say."""
        return None

    def measure(self, head: bytearray, byteorder: ByteOrder) -> int | None:
        """What `extent` gives, told by a head's bytes alone: the quick form for rows of records.

        None where the bytes may break a rule, or it takes a closer look to tell: then the head is
        decoded, and judged as any other. `head` is not to be kept. A type that does not override
        this has each head decoded.
        """
        return None

    def parts(self, head: B) -> Iterable[Part] | None:
        """What follows a bulk record's head, part by part in its order; None where it has no parts.

        `diff` compares parts by their keys, in whatever records they lie; of those with the same key
        the last one counts.
        """
        return None

    def as_context(self, body: B) -> tuple[int, Body] | None:
        """The same state in a record of the domain context: its type code and body, instance 0.

        For types of other formats whose state a domain context may hold instead, so that `diff`
        pairs the two; None for all others.
        """
        return None

    def tally(self) -> Tally[B] | None:
        """Something that adds up the heads of bulk records; None where there is no use in it."""
        return None

    def links(self, instance: int | None, body: B) -> Iterable[Link]:
        """The connections that a record tells of, for a reader to see as a graph."""
        return ()

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


def body_class(record_type: RecordType[Any], earlier: Mapping[int, Body]) -> type[Body]:
    """The class that a record's body decodes to, after the remembered bodies in `earlier`.

    Raises `DeclarationError` where `body_for` gives a class that the type does not declare, and
    whatever it raises itself.
    """
    if not record_type.depends:
        return record_type.body
    known = {code: earlier[code] for code in record_type.depends if code in earlier}
    chosen = record_type.body_for(known)
    if chosen is not record_type.body and chosen not in record_type.bodies:
        raise DeclarationError(
            f"`body_for` of {record_type.name} gives a class that is not declared",
            expected=" or ".join(each.__name__ for each in all_bodies(record_type)),
            actual=getattr(chosen, "__name__", repr(chosen)[:80]),
        )
    return chosen


def all_bodies(record_type: RecordType[Any]) -> tuple[type[Body], ...]:
    """Every class that the bodies of a type may decode to, the usual one first."""
    return (record_type.body, *record_type.bodies)


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
    for attribute, each in (("body", body), *(("bodies", each) for each in record_type.bodies)):
        if not (isinstance(each, type) and issubclass(each, Body)):
            raise DeclarationError(f"{who}: `{attribute}` is not a Body class", actual=repr(each))
        each.__layout__  # noqa: B018  # a layout that cannot be compiled is found here, not later
    names: Any = record_type.identity
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise DeclarationError(
            f"{who}: `identity` is no row of names",
            expected="a tuple of str",
            actual=repr(names)[:80],
        )
    for name in names:
        for each in all_bodies(record_type):
            field = each.__layout__.by_name.get(name)
            if field is None or not isinstance(field.kind, (Int, Blob)):
                raise DeclarationError(
                    f"{who}: `identity` names `{name}`, by which no record can be told",
                    expected=f"a field of {each.__name__} that is a number, text or bytes",
                    actual="no field" if field is None else field.kind.label,
                )
    if record_type.bodies and not record_type.depends:
        raise DeclarationError(
            f"{who}: `bodies` has classes to choose from, and nothing decides",
            expected="type codes in `depends`",
        )
    return record_type
