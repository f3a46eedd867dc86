"""What verification keeps of each container, and the batches of records that it need not judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from domctx_core.base.rules import Rules
from domctx_core.layout.body import Body
from domctx_core.model.check import Check, Container
from domctx_core.model.instance_set import OrderState
from domctx_core.model.record_type import RecordType
from domctx_core.model.record_view import RecordView
from domctx_core.reader.events import Batch
from domctx_core.reader.record import OpenContainer, Record, TypeInfo

if TYPE_CHECKING:
    from domctx_core.model.check_run import Run
    from domctx_core.model.observer import RecordEvent

__all__ = ["ContainerState", "TypePlan", "ValidBatch"]


class TypePlan:
    """What is asked of each record of a type, settled once for all of them in a container.

    `judged`: the record type judges bodies itself; `ordered`: its code has to ascend; `opens`: the
    container has to begin with such a record. `longest` is the length that the format allows,
    `limit` the first instance that the type does not have.
    """

    __slots__ = (
        "bulk", "checks", "judged", "limit", "loadable", "longest", "opens", "ordered",
        "record_type", "type_info",
    )  # fmt: skip

    def __init__(
        self, level: OpenContainer, code: int, info: TypeInfo, checks: Iterable[Check]
    ) -> None:
        format = level.format
        record_type: RecordType[Any] | None = info.record_type
        self.type_info = info
        self.record_type = record_type
        self.checks = [check for check in checks if code in check.codes]
        self.opens = code == format.first
        self.ordered = format.ascending and code != format.last
        self.longest = format.max_length
        self.limit = None if record_type is None else record_type.instances.limit
        self.loadable = record_type is None or record_type.loadable
        self.bulk = info.bulk
        self.judged = info.judged or info.bulk


class ContainerState:
    """What is known of one container: the checks at work on it, and the records so far.

    `rules` settle severity and errno of its problems; `plans` are those of the declared types met so
    far, by code; `current` is the latest record that was judged by itself, and its body.
    """

    def __init__(self, checks: list[Check], rules: Rules) -> None:
        self.checks = checks
        self.rules = rules
        self.plans: dict[int, TypePlan] = {}
        self.container: Container | None = None
        self.current: tuple[Record, Body | None] | None = None
        self.order = OrderState()


class ValidBatch(Batch):
    """Records none of which breaks a rule by itself, so that only checks have to see them.

    `checks` want to see them, as one `run` or as single `views`; `events` are what observers are
    given of the records.
    """

    __slots__ = ("checks", "events", "run", "views")

    def __init__(
        self,
        level: OpenContainer,
        index: int,
        offset: int,
        count: int,
        end: int,
        checks: Sequence[Check] = (),
        *,
        run: Run | None = None,
        views: Sequence[RecordView] = (),
        events: Iterable[RecordEvent] = (),
    ) -> None:
        super().__init__(level, index, offset, count, end)
        self.checks = checks
        self.run = run
        self.views = views
        self.events = events
