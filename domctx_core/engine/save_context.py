"""Write the records of save handlers to ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from domctx_core.base.errors import DomctxError, MisuseError
from domctx_core.base.io import DEFAULT_CAP
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.runs import MOST, record_frame
from domctx_core.layout.body import Body
from domctx_core.layout.codegen.encoder import encoder
from domctx_core.layout.codegen.source import NOT_APPLICABLE, NotApplicable
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.model.domain import Domain
from domctx_core.model.instance_set import InstanceSet
from domctx_core.model.observer import RecordEvent, Watch
from domctx_core.model.ops import SaveOps
from domctx_core.model.overrides import prefers_batch
from domctx_core.model.record_type import SaveContext
from domctx_core.model.registry import Entry
from domctx_core.model.wire import HEADER_SIZE, header_struct, pack_header, padding

__all__ = ["EngineSaveContext"]

B = TypeVar("B", bound=Body)

_ALL = 2**32
"""Instances of a record type without a limit."""


class _Packing(NamedTuple):
    """How a body of fixed size becomes a whole record in one call.

    `pack` returns the record of a body and an instance, or raises one of `NOT_APPLICABLE` if the
    body may break a rule; `blank` is the record with zeros for both.
    """

    pack: Callable[[Any, int], bytes]
    length: int
    blank: bytes


def _not_applicable(body: Any, instance: int) -> bytes:
    """Raise `NotApplicable`: no body is packed in one call."""
    raise NotApplicable


class EngineSaveContext(SaveContext):
    """The context of all save handlers of one save.

    `records` counts the records written so far.
    """

    def __init__(
        self,
        ops: SaveOps,
        *,
        dry_run: bool,
        xen_version: XenVersion | None,
        cap: int = DEFAULT_CAP,
        rules: Rules = CORE_ONLY,
        measure: Callable[[Entry, int], int] | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.dry_run = dry_run
        self.xen_version = xen_version
        self.byteorder = ops.byteorder
        self.instance: int | None = None
        self.records = 0
        self._ops = ops
        self._cap = cap
        self._rules = rules
        self._measure = measure
        self._watch = watch if watch else None
        self._position = 0
        self._entry: Entry | None = None
        self._before = 0
        self._length = 0
        self._promised: int | None = None
        self._held: bytearray | None = None
        self._instances = InstanceSet()
        self._whole = prefers_batch(type(ops), "records", "begin", "append", "end")
        self._limit = 0
        self._packings: dict[type, _Packing | None] = {}
        #: The class of the bodies that are written now, how long they are, and what packs them.
        self._kind: type | None = None
        self._fixed = 0
        self._pack: Callable[[Any, int], bytes] = _not_applicable
        #: Instances from the first to the top are written, and not noted in `_duplicates` yet:
        #: mostly instances are consecutive, and a range of them costs nothing to keep.
        self._first, self._top = 0, -1

    def begin(self, code: int, instance: int, length: int | None = None) -> None:
        """Begin a record. `length`, where it is known, saves buffering on a pipe."""
        entry = self._entry
        if entry is None:
            raise MisuseError("a record is begun outside of a save handler")
        if self.instance is not None:
            raise MisuseError(
                f"{entry.name}[{instance}] is begun before {entry.name}[{self.instance}] is ended"
            )
        if code != entry.code:
            raise MisuseError(
                f"the save handler of {entry.name} begins a record of another type",
                expected=entry.code,
                actual=code,
            )
        if not 0 <= instance < self._limit:
            raise MisuseError(
                f"{entry.name} cannot have instance {instance}",
                expected=f"0 to {self._limit - 1}",
                actual=instance,
            )
        if self._repeated(instance):
            raise self._duplicate(instance)
        self.instance = instance
        self._kind = None
        self._length = 0
        self._promised = length
        if length is None and not self._ops.patches:
            self._held = bytearray()
        else:
            self._ops.begin(code, instance, length)

    def data(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the record's body; any number of times, of any size."""
        if self.instance is None:
            raise MisuseError("data is written outside of a record")
        self._length += len(data)
        if self._held is None:
            self._ops.append(data)
            return
        self._held += data
        if len(self._held) > self._cap:
            self._release(self._dry_length())

    def end(self) -> None:
        """End the record: padding is written, and the length is settled."""
        entry, instance = self._entry, self.instance
        if entry is None or instance is None:
            raise MisuseError("a record is ended that was not begun")
        if self._held is not None:
            self._release(self._length)
        if self._promised is not None and self._promised != self._length:
            raise MisuseError(
                f"{entry.name}[{instance}] does not have the length that `begin` was given",
                expected=f"{self._promised} bytes",
                actual=f"{self._length} bytes",
                hint="the domain changed while it was saved, or the handler's dry run is wrong",
            )
        pad = padding(self._length)
        if pad:
            self._ops.append(bytes(pad))
        self._ops.end(self._length)
        if self._watch is not None:
            self._report(instance, self._length, HEADER_SIZE + self._length + pad)
        self.instance = None
        self.records += 1

    def write(self, instance: int, body: Body | bytes | bytearray | memoryview) -> None:
        """Write a whole record of the handler's own type: the one-shot form."""
        if type(body) is not self._kind:
            self._turn_to(type(body))
        if 0 <= instance < self._limit:
            try:
                record = self._pack(body, instance)
            except NOT_APPLICABLE:  # the calls below raise what is wrong
                pass
            else:
                if instance == self._top + 1:
                    self._top = instance
                elif self._repeated(instance):
                    raise self._duplicate(instance)
                try:
                    self._ops.records(record)
                except BaseException:
                    self.instance = instance
                    raise
                self.records += 1
                if self._watch is not None:
                    self._report(instance, self._fixed, len(record))
                return
        entry = self._entry
        if entry is None:
            raise MisuseError("a record is written outside of a save handler")
        if isinstance(body, Body):
            try:
                if self.dry_run:
                    body = bytes(body.size())
                elif type(body).to_bytes is Body.to_bytes:
                    body = body.to_bytes(self.byteorder, rules=self._rules)
                else:  # an author's own need not take `rules`
                    body = body.to_bytes(self.byteorder)
            except DomctxError as error:
                error.locate(instance=instance)
                raise
        self.begin(entry.code, instance, len(body))
        self.data(body)
        self.end()

    def run_of(self, domain: Domain, body: type[B]) -> Columns[B] | None:
        if prefers_batch(type(domain), "read_run", "read", "instances"):
            return domain.read_run(body)
        return None

    def write_run(self, run: Columns[Any]) -> None:
        """Write a record of the handler's own type for each of a run.

        What comes out is what `write` of one body after the other would write, and so are errors.
        """
        entry = self._entry
        if entry is None:
            raise MisuseError("a run is written outside of a save handler")
        if not run:
            return
        code = entry.code
        self._settle()
        packing = None if self.instance is not None else self._packing(run.body)
        if (
            packing is None
            or run.body.to_bytes is not Body.to_bytes
            or not (self.dry_run or run.sound)
            or not run.ascending
            or run.instances[-1] >= self._limit
            or not self._instances.add_ascending([(code, run.stretch)])
        ):
            for instance, body in run.items():
                self.write(instance, body)
            return
        if self.dry_run:
            self._ops.records(packing.blank, len(run))
        else:
            frame = record_frame(run.layout)
            for start in range(0, len(run), MOST):
                piece = run[start : start + MOST]
                self._ops.records(piece.records(packing.blank, frame, self.byteorder))
        if self._watch:
            length, size = packing.length, len(packing.blank)
            self._watch.see_run(code, run.instances, self._position, size, length)
            self._position += size * len(run)
        self._top = run.instances[-1]
        self._first = self._top + 1
        self.records += len(run)

    def _settle(self) -> None:
        """Note the consecutive instances as written."""
        if self._entry is not None and self._first <= self._top:
            stretch = range(self._first, self._top + 1)
            self._instances.add_ascending([(self._entry.code, stretch)])
        self._first = self._top + 1

    def _repeated(self, instance: int) -> bool:
        """Return whether the type's record of an instance was written before, and note it as written."""
        assert self._entry is not None
        if instance > self._top:
            if instance != self._top + 1:
                self._settle()
                self._first = instance
            self._top = instance
            return False
        self._settle()
        return not self._instances.add(self._entry.code, instance)

    def _duplicate(self, instance: int) -> MisuseError:
        assert self._entry is not None
        return MisuseError(f"{self._entry.name}[{instance}] is written twice")

    def _report(self, instance: int, length: int, size: int) -> None:
        """Report a written record to observers: `size` bytes with header and padding."""
        assert self._entry is not None
        assert self._watch is not None
        self._watch.see(RecordEvent(self._entry.code, instance, self._position, length))
        self._position += size

    def _turn_to(self, kind: type[Any]) -> None:
        """Prepare to write bodies of this class."""
        if self._entry is None or self.instance is not None:
            self._kind, self._pack = None, _not_applicable
            return
        packing = self._packing(kind)
        self._kind = kind
        self._pack, self._fixed = (_not_applicable, 0) if packing is None else packing[:2]

    def _packing(self, kind: type[Any]) -> _Packing | None:
        """Return how to pack records with such bodies; None if that takes more than one call."""
        if kind not in self._packings:
            self._packings[kind] = self._packing_of(kind)
        return self._packings[kind]

    def _packing_of(self, kind: type[Any]) -> _Packing | None:
        assert self._entry is not None
        size = kind.fixed_size() if self._whole and issubclass(kind, Body) else None
        if size is None:
            return None
        code, byteorder, pad = self._entry.code, self.byteorder, padding(size)
        blank = pack_header(code, 0, size, byteorder) + bytes(size + pad)
        layout, prefix = kind.__layout__, ORDERS[byteorder]
        pack: Callable[[Any, int], bytes] = _not_applicable
        if self.dry_run:
            pack = lambda body, instance: blank  # noqa: E731
        elif kind.to_bytes is Body.to_bytes and layout.order in (None, prefix):
            head = header_struct(byteorder).format.removeprefix(prefix)
            pack = encoder(layout, prefix, head=head, values=(code, None, size), tail=pad)
        return _Packing(pack, size, blank)

    def _release(self, length: int) -> None:
        """Write what was held for a target that cannot seek: the length is known now."""
        assert self._entry is not None
        assert self.instance is not None
        assert self._held is not None
        held, self._held = self._held, None
        self._promised = length
        self._ops.begin(self._entry.code, self.instance, length)
        self._ops.append(held)

    def _dry_length(self) -> int:
        """Return the length of the open record, from a dry run of its handler alone."""
        assert self._entry is not None
        if self._measure is None:
            raise MisuseError("the record is larger than the buffer, and no dry run can measure it")
        return self._measure(self._entry, self.records - self._before + 1)

    def run(self, entry: Entry, domain: Any) -> None:
        """Run the save handler of a record type."""
        self._entry, self._before = entry, self.records
        self._first, self._top = 0, -1
        limit = entry.record_type.instances.limit
        self._limit = _ALL if limit is None else limit
        self._packings = {}
        self._kind = None
        entry.record_type.save(domain, self)
        if self.instance is not None:
            raise MisuseError(f"the save handler of {entry.name} did not end its last record")
        self._entry = self._kind = None
