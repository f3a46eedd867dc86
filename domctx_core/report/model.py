"""What a report says of an image: plain data, in the order of the page.

What is small is made at once: findings, map, graphs, charts. The records, of which there may be
any number, are planned first (plan.py) and made while the page is written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from domctx_core.base.errors import PLUGIN_ERRORS, PluginError, describe
from domctx_core.base.problems import Finding, Severity
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.images.diff.model import Diff
from domctx_core.images.tree import Image, RecordNode
from domctx_core.model.record_type import RecordType
from domctx_core.model.visuals import Amount
from domctx_core.reader.record import Record
from domctx_core.report.bands import Map, make_map
from domctx_core.report.blocks import Block, FoundRule, Marked
from domctx_core.report.cards import Cards
from domctx_core.report.comparison import Comparison
from domctx_core.report.graphs import Chart, Graph, LinkCounter, make_chart
from domctx_core.report.plan import Places, Plan, What

__all__ = ["LIMIT", "Report"]

LIMIT = 200
"""Records that are in a page in full, unless somebody says another number."""

ELSEWHERE = "records"
"""Where links lead to what is not in the page."""


class Report:
    """All that a page shows of one image.

    `keep` chooses the records that are in it, `limit` how many of them in full. `rules` explain
    the findings. `against` is the name of another image and what differs. `warnings` are what plugins raised while the page was made.
    """

    def __init__(
        self,
        image: Image,
        name: str,
        *,
        rules: Rules = CORE_ONLY,
        keep: Callable[[Record], bool] | None = None,
        limit: int = LIMIT,
        against: tuple[str, Diff] | None = None,
    ) -> None:
        self.image = image
        self.name = name
        self.limit = limit
        self.warnings: list[str] = []
        root = image.root.level
        self.title = root.format.title or root.format.name
        self.recognised = image.root.recognised
        self.version, self.byteorder = root.framing.version, root.framing.byteorder
        self.size = image.size
        self.valid = all(each.severity is not Severity.ERROR for each in image.findings)
        self._places = Places(image.root)
        self._nodes = [self._places.node(finding) for finding in image.findings]
        bad = {node for node in self._nodes if node is not None}
        self._plan = Plan(self._places, bad, keep, limit)
        self.count, self.containers = len(self._places.numbers), len(self._places.containers)
        self.kept = self._plan.kept
        self.in_full = self._plan.count(What.RECORD)
        self.in_short = self._plan.count(What.TABLE)
        self.left_out = self._plan.count(What.LEFT_OUT)
        self._at_place: dict[str, list[Marked]] = defaultdict(list)
        self._of_node: dict[RecordNode, list[Marked]] = defaultdict(list)
        self.rules = self._marked(rules)
        self.map = self._map()
        self.graphs, self.charts = self._pictures()
        self.comparison = against and Comparison(against[1], against[0], self._find)

    @property
    def shortened(self) -> bool:
        """Whether some records of the page are not shown in full."""
        return self.in_full < self.kept

    @property
    def counts(self) -> list[tuple[Severity, int]]:
        """How many findings there are of each severity that has any, the gravest first."""
        counts = Counter(finding.severity for finding in self.image.findings)
        return [(severity, counts[severity]) for severity in Severity if counts[severity]]

    def _target(self, node: RecordNode) -> str:
        """Return the id of the record in the page, or of what replaces it."""
        return self._plan.targets.get(node, ELSEWHERE)

    def _find(self, offset: int) -> str:
        """Return the id in the page of the record or container that starts at an offset."""
        node = self._places.starting(offset)
        if isinstance(node, RecordNode):
            return self._plan.targets.get(node, "")
        return "" if node is None else self._plan.containers.get(node, "")

    # --------------------------------------------------------------------------------- findings

    def _marked(self, rules: Rules) -> tuple[FoundRule, ...]:
        """Return the findings by rule, the gravest first; store each for its place in the page too."""
        groups: dict[str, list[Marked]] = defaultdict(list)
        pairs = zip(self.image.findings, self._nodes, strict=True)
        for number, (finding, node) in enumerate(pairs):
            place = self._place(finding) if node is None else self._target(node)
            rule = rules.find(finding.rule)
            marked = Marked(f"f{number}", finding, rule, place, _label(finding))
            groups[finding.rule].append(marked)
            if node is None:
                self._at_place[place].append(marked)
            else:
                self._of_node[node].append(marked)
        by_rule = [
            FoundRule(
                each[0].rule, min((m.finding.severity for m in each), key=_gravity), tuple(each)
            )
            for each in groups.values()
        ]
        return tuple(sorted(by_rule, key=lambda each: _gravity(each.severity)))

    def _place(self, finding: Finding) -> str:
        """Return the place of a finding that is not about a whole record."""
        container = self._places.container(finding)
        id = self._plan.containers.get(container, ELSEWHERE)
        strays = [each for each in (container.trailing, container.unframed) if each is not None]
        if id != ELSEWHERE and any(each.offset <= finding.offset for each in strays):
            return f"{id}-bytes"
        return id

    # --------------------------------------------------------------------------------- pictures

    def _map(self) -> Map:
        drawn = make_map(self.image.root, self.size, self._target, self._plan.containers)
        heads = [band for band in drawn.bands if band.kind == "container"]
        others = [band for band in drawn.bands if band.kind != "container"]
        for finding, node in zip(self.image.findings, self._nodes, strict=True):
            bands = heads if node is None and finding.record is None else others
            at = bisect_right([band.offset for band in bands], finding.offset) - 1
            if not bands:
                continue
            band = bands[max(at, 0)]
            band.findings += 1
            if band.severity is None or _gravity(finding.severity) < _gravity(band.severity):
                band.severity = finding.severity
        return drawn

    def _pictures(self) -> tuple[list[Graph], list[Chart]]:
        """Return graphs of the links of records, and charts of the totals of bulk records."""
        counters: dict[str, LinkCounter] = {}
        amounts: dict[str, list[Amount]] = {}
        for container in self._places.containers:
            tallies: dict[int, Any] = {}
            for node in container.nodes:
                record = node.record
                try:
                    if record.entry is None:
                        continue
                    record_type = record.entry.record_type
                    if not record.bulk and not _links(record_type):
                        continue
                    decoded = record.decoded
                    if decoded is None or decoded.body is None:
                        continue
                    for link in record_type.links(record.instance, decoded.body):
                        counters.setdefault(record.entry.name, LinkCounter()).add(link)
                    if record.bulk:
                        if record.type not in tallies:
                            tallies[record.type] = record.entry.name, record_type.tally()
                        if tallies[record.type][1] is not None:
                            tallies[record.type][1].add(decoded.body)
                except PLUGIN_ERRORS as error:
                    self._warn(record, error)
            for name, tally in tallies.values():
                if tally is not None:
                    try:
                        amounts.setdefault(name, []).extend(tally.amounts())
                    except PLUGIN_ERRORS as error:
                        self.warnings.append(f"adding up {name} raised {describe(error)}")
        graphs = [counter.graph(name) for name, counter in counters.items() if counter.count]
        charts = [chart for name, each in amounts.items() for chart in make_chart(name, each)]
        return graphs, charts

    def _warn(self, record: Record, error: BaseException) -> None:
        if isinstance(error, PluginError):
            return  # a plugin that cannot be used is a finding
        text = f"showing {record.name or record.type} raised {describe(error)}"
        if text not in self.warnings:
            self.warnings.append(text)

    # ---------------------------------------------------------------------------------- records

    def blocks(self) -> Iterator[Block]:
        """Yield the containers and records, in the order of their bytes."""
        return iter(
            Cards(
                self.image.source, self._places, self._plan, self._at_place, self._of_node,
                self._warn,
            )
        )  # fmt: skip


def _label(finding: Finding) -> str:
    """Return what a finding is about, as text."""
    parts = []
    if finding.name is not None or finding.type is not None:
        name = finding.name or f"type {finding.type:#x}"
        parts.append(name if finding.instance is None else f"{name}[{finding.instance}]")
    if finding.record is not None:
        parts.append(f"record {finding.record}")
    if finding.field:
        parts.append(finding.field)
    return ", ".join(parts) or (finding.container[-1] if finding.container else "the image")


def _gravity(severity: Severity) -> int:
    """Return a key that sorts severities, the gravest first."""
    return list(Severity).index(severity)


def _links(record_type: RecordType[Any]) -> bool:
    """Return True if a type can have links; otherwise its records need not be decoded for them."""
    return type(record_type).links is not RecordType.links
