"""Record types, and what their save and load handlers may call.

A record type has a type code, a name, a body class and, if the default does not suffice, `save`
and `load`. The default saves every instance that the domain has of that body, and loads by
writing the body back. The engine implements `SaveContext` and `LoadContext`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from domctx_core.base.errors import DeclarationError, ImageError
from domctx_core.base.problems import Problem
from domctx_core.base.rules import CORE_ONLY
from domctx_core.layout.body import Body
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.model.attributes import ANY, Content, Instances, Part, Tally

if TYPE_CHECKING:
    import random

    from domctx_core.base.xen_version import XenVersion
    from domctx_core.layout.columns.columns import Columns
    from domctx_core.model.domain import Domain, Guest
    from domctx_core.model.ops import Extent
    from domctx_core.model.visuals import Link

__all__ = ["LoadContext", "RecordType", "SaveContext", "all_bodies", "body_class"]

B = TypeVar("B", bound=Body)


_TRIES = 200
"""Random bodies that are tried until one is valid."""


class SaveContext(ABC):
    """The image that `RecordType.save` writes records to.

    `dry_run` is True if only lengths count: any bytes of the right length will do. `xen_version` is
    the version that START gets, None if there is none. `byteorder` is that of the image. `instance`
    is that of the open record, None between records.

    A record is written by `begin`, any number of `data`, and `end`, or by one call of `write`.
    `MisuseError` is raised for any other order, a type code that is not the handler's own, an
    instance that the type cannot have, and one that was written before.
    """

    dry_run: bool
    xen_version: XenVersion | None
    byteorder: ByteOrder
    instance: int | None

    @abstractmethod
    def begin(self, code: int, instance: int, length: int | None = None) -> None:
        """Begin a record with the handler's own type code.

        `length` is that of the body in bytes. With it, a pipe gets the body piece by piece; without,
        the body is buffered, and one that outgrows the buffer is measured by a dry run.
        """

    @abstractmethod
    def data(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the body of the open record."""

    @abstractmethod
    def end(self) -> None:
        """End the open record: its padding is written, and its length is set.

        Raises `MisuseError` if `begin` was given another length.
        """

    @abstractmethod
    def write(self, instance: int, body: Body | bytes | bytearray | memoryview) -> None:
        """Write a whole record of the handler's own type.

        `body` is encoded in the image's byte order; bytes are taken as they are. Raises `BodyError`
        for a body that breaks a rule of its class, except on a dry run.
        """

    @abstractmethod
    def run_of(self, domain: Domain, body: type[B]) -> Columns[B] | None:
        """Return the domain's state of a body class as columns; None if it does not keep them."""

    @abstractmethod
    def write_run(self, run: Columns[Any]) -> None:
        """Write a record of the handler's own type for each row of `run`.

        Bytes and errors are those of `write` with one body after the other.
        """


class LoadContext(ABC):
    """The record that `RecordType.load` takes from an image.

    `type`, `instance` and `length` (bytes of the body) are from the record's header, `byteorder` is
    that of the image. `receiver` is the Xen that must not be older than the one that saved the
    image, None if any will do.

    A record is taken by `begin`, any number of `data`, `sink` and `extent`, and `end`, or by one
    call of `read`. All of them raise `ImageError` for what is wrong with the record, and
    `MisuseError` if they are called in any other order.
    """

    type: int
    instance: int
    length: int
    byteorder: ByteOrder
    receiver: XenVersion | None

    @abstractmethod
    def begin(self, code: int) -> int:
        """Begin to take the record, with the handler's own type code. Return the instance."""

    @abstractmethod
    def data(self, size: int) -> bytes:
        """Return the next `size` bytes of the body.

        Raises `ImageError` if the body has fewer left (ENODATA; nothing is read then), if the image
        ends before, and if they are more than may be held in memory.
        """

    @abstractmethod
    def rest(self) -> bytes:
        """Return all bytes of the body that were not taken yet, as `data` does."""

    @abstractmethod
    def sink(self, size: int) -> None:
        """Skip the next `size` bytes of the body."""

    @abstractmethod
    def extent(self, size: int | None = None) -> Extent:
        """Skip the next `size` bytes of the body (None: the rest); return a way to read them later.

        They are not held in memory, however many.
        """

    @abstractmethod
    def end(self, ignore_rest: bool = False) -> None:
        """End taking the record.

        Raises `ImageError` (EINVAL) if bytes of the body are left, unless `ignore_rest`, and if the
        padding is not zero.
        """

    @abstractmethod
    def read(self, record_type: RecordType[B]) -> tuple[int, B]:
        """Take the whole record. Return its instance and its body.

        Raises `ImageError` for the first problem of the body that is an error, those that `judge`
        of the record type yields included.
        """

    @abstractmethod
    def refuse(self, problem: Problem) -> None:
        """Raise `ImageError` for a problem of the body, unless it is a warning or a note.

        The problem's offset counts from the start of the body, in bytes.
        """

    @abstractmethod
    def error(self, rule: str, message: str, **details: Any) -> ImageError:
        """Return an error about the record as a whole, for the handler to raise.

        `details` are attributes of `ImageError`, such as `errno`, `expected` and `actual`.
        """

    @abstractmethod
    def turn_to(self, index: int) -> None:
        """Make the record at `index` of the run that `load_run` was given the present one.

        `error` and `refuse` are then about that record.
        """


class RecordType(Generic[B]):
    """One type of record. Subclass it and set the class attributes.

    * `code`: the type code, an unsigned 32-bit number, unique in its format;
    * `name`: its name, unique in its format; in a domain context at most 15 ASCII characters;
    * `body`: the `Body` class that its bodies decode to;
    * `instances`: `SINGLE`, `PER_VCPU`, `ANY` or an `Instances` of your own;
    * `identity`: names of fields (numbers, text or bytes) that distinguish records of the same type
      and instance, such as a vCPU's number in a format without instances; `diff` pairs by them;
    * `after`: names of record types that must come earlier in an image, if they are in it;
    * `ignore_rest`: a body may have bytes after its fields, and they mean nothing;
    * `opaque`: most of the body is for another program, and no load of ours holds it: if it is too
      long to be held in memory, it is skipped, with a note;
    * `bulk`: the body is too large to be of interest as such (guest pages): it is skipped, not
      read, unless it is asked for; `prefix` may except its first bytes. A word such as `page` in
      place of True names one of its `parts`;
    * `loadable`: False for a type that can be inspected but not loaded;
    * `remembered`: the body determines the layout of records after it in the same container, so that
      the latest one is kept until the container ends;
    * `depends`: type codes of the remembered types that determine the layout of this body; `body_for`
      then chooses among `body` and `bodies`. A domain keeps state by body class, so such a type of
      a domain context overrides `save` and `load`;
    * `trusted_values`: instances for which `judge` yields nothing, whatever the body and the
      receiver; it is not called for runs of such records;
    * `content`: another format inside the body or right after the record;
    * `suspends`: after this record the enclosing format goes on, and this one may be resumed;
    * `rules`: id of a general rule -> id of the more particular one to report in its place.

    Keep no state in a record type between calls: two operations may use it at once.
    """

    code: ClassVar[int]
    name: ClassVar[str]
    body: ClassVar[type[Body]]
    instances: ClassVar[Instances] = ANY
    identity: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    ignore_rest: ClassVar[bool] = False
    opaque: ClassVar[bool] = False
    bulk: ClassVar[bool | str] = False
    loadable: ClassVar[bool] = True
    remembered: ClassVar[bool] = False
    depends: ClassVar[tuple[int, ...]] = ()
    bodies: ClassVar[tuple[type[Body], ...]] = ()
    trusted_values: ClassVar[range | None] = None
    content: ClassVar[Content | None] = None
    suspends: ClassVar[bool] = False
    rules: ClassVar[dict[str, str]] = {}

    def save(self, domain: Domain, context: SaveContext) -> None:
        """Write the records of this type that `domain` has state for, instances ascending.

        On a dry run (`context.dry_run`) only the lengths count; zeros will do for data.
        """
        body: type[Any] = self.body
        run = context.run_of(domain, body)
        if run is not None:
            context.write_run(run)
            return
        for instance in domain.instances(self.body):
            context.write(instance, domain.read(self.body, instance))

    def load(self, domain: Domain, context: LoadContext) -> None:
        """Take one record, and write its state to `domain`.

        In a load of two phases `domain` only queues what is written; see `Domain.update` for changes
        that need the present state.
        """
        instance, body = context.read(self)
        domain.write(self.body, instance, body)

    def load_run(self, domain: Domain, context: LoadContext, run: Columns[B]) -> bool:
        """Write the state of a run of records: the batch form of `load`, for a body of fixed size.

        The records follow each other in the image, their instances ascend, and their bodies are
        valid. Return True if the run was taken. If not, nothing may have been written: `load` is
        called for each record, and raises what is wrong. Take nothing from `context`; call its
        `turn_to` to make an error about one of the records.

        A type that overrides `load` and not this method gets each record through `load`.
        """
        body: type[Any] = self.body
        domain.write_run(body, run)
        return True

    def judge(
        self, instance: int | None, body: B, receiver: XenVersion | None
    ) -> Iterable[Problem]:
        """Yield problems of a record that its body alone cannot see.

        `receiver` is the Xen that is to load the image, None if it is not known. A problem that is
        an error makes `verify` fail and `load` refuse. Offsets count from the start of the body.
        """
        return ()

    def body_for(self, earlier: Mapping[int, Body]) -> type[Body]:
        """Return the body class of a record, `body` or one of `bodies`, if `depends` is not empty.

        `earlier` has the latest body of each type code in `depends` that came before in the same
        container and could be decoded.
        """
        return self.body

    def prefix(self, first: bytes, byteorder: ByteOrder) -> int:
        """Return how many bytes at the start of a bulk body are its head; 0 if it has none.

        `first` are the body's first bytes, at most 64. The head is held and decoded with `body`;
        what follows it is skipped. Nothing is read for a head that is longer than its record.
        """
        return 0

    def extent(self, head: B) -> int | None:
        """Return how long, in bytes, a bulk body with this head must be; None if that is not known."""
        return None

    def measure(self, head: bytearray, byteorder: ByteOrder) -> int | None:
        """Return what `extent` returns, from the bytes of a head: the quick form for many records.

        None if the bytes may break a rule or have to be decoded: the head is then decoded and judged
        as any other. Do not keep `head`. Each head is decoded if this is not overridden.
        """
        return None

    def parts(self, head: B) -> Iterable[Part] | None:
        """Return the parts after the head of a bulk record, in their order; None if it has none.

        `diff` compares parts with the same key, whatever records they are in; of parts with the same
        key in one image, the last one counts.
        """
        return None

    def as_context(self, body: B) -> tuple[int, Body] | None:
        """Return type code and body of the domain context's record with the same state, instance 0.

        For types of other formats, so that `diff` pairs the two; None for all others.
        """
        return None

    def tally(self) -> Tally[B] | None:
        """Return a new tally of the heads of bulk records; None if each is shown by itself."""
        return None

    def links(self, instance: int | None, body: B) -> Iterable[Link]:
        """Return the connections that a record describes, for the graph of the report."""
        return ()

    def simulate(self, guest: Guest, rng: random.Random) -> Iterable[tuple[int, B]]:
        """Return state for a simulated domain: (instance, body), ascending by instance.

        The default makes valid bodies at random: one for a single type, one for each vCPU, else
        four. Override it if records must fit together.
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
                if all(CORE_ONLY.refusal(problem) is None for problem in made.problems()):
                    break  # `check` may want fields to agree, which random ones mostly do not
                made = body.example(rng)
            yield instance, made

    def __repr__(self) -> str:
        return f"<record type {self.code} {self.name}>"


def body_class(record_type: RecordType[Any], earlier: Mapping[int, Body]) -> type[Body]:
    """Return the class that a record's body decodes to, after the remembered bodies in `earlier`.

    Raises `DeclarationError` if `body_for` returns a class that the type does not declare, and what
    `body_for` raises.
    """
    if not record_type.depends:
        return record_type.body
    known = {code: earlier[code] for code in record_type.depends if code in earlier}
    chosen = record_type.body_for(known)
    if chosen is not record_type.body and chosen not in record_type.bodies:
        raise DeclarationError(
            f"`body_for` of {record_type.name} returned a class that is not declared",
            expected=" or ".join(each.__name__ for each in all_bodies(record_type)),
            actual=getattr(chosen, "__name__", repr(chosen)[:80]),
        )
    return chosen


def all_bodies(record_type: RecordType[Any]) -> tuple[type[Body], ...]:
    """Return all classes that bodies of a type may decode to, the usual one first."""
    return (record_type.body, *record_type.bodies)
