"""The check of what refers to what in a xenstore stream, and the hook that brings it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from domctx_core import (
    Check,
    CheckDeclaration,
    Container,
    Errno,
    Problem,
    RecordView,
    Rule,
    Severity,
    hookimpl,
)
from domctx_plugin_xenstore_stream.connections import (
    ConnectionData,
    TransactionData,
    WatchData,
    WatchDataExtended,
)
from domctx_plugin_xenstore_stream.globals import DomainData
from domctx_plugin_xenstore_stream.nodes import NodeData

__all__ = ["RULES", "XenstoreCheck", "domctx_checks"]

RULES: tuple[Rule, ...] = (
    Rule(
        "xenstore-stream/connection-missing",
        Severity.ERROR,
        Errno.ENOENT,
        "a record refers to a connection that did not come before it",
        "Watches, transactions and pending nodes belong to a connection, whose CONNECTION_DATA has"
        " to stand earlier in the stream. A receiver has nothing to hang them on.",
        "Put the CONNECTION_DATA before the record, or leave the record out.",
        "WATCH_DATA of connection 2 in a stream that has connection 1 only",
    ),
    Rule(
        "xenstore-stream/transaction-missing",
        Severity.ERROR,
        Errno.ENOENT,
        "a pending node refers to a transaction that did not come before it",
        "A node with a connection is what one of its transactions sees. The TRANSACTION_DATA has to"
        " stand earlier in the stream.",
        "Put the TRANSACTION_DATA before the node, or leave the node out.",
        "NODE_DATA of connection 1 and transaction 5, without TRANSACTION_DATA for it",
    ),
    Rule(
        "xenstore-stream/number-taken",
        Severity.ERROR,
        Errno.EEXIST,
        "a connection or a transaction has a number that is taken",
        "Later records refer to connections by number, and to transactions by both numbers. Two"
        " with one number cannot be told apart. A domain has one DOMAIN_DATA at most.",
        "Find out which of the two is meant, and drop or renumber the other.",
        "two CONNECTION_DATA records with conn_id 1",
    ),
    Rule(
        "xenstore-stream/version",
        Severity.ERROR,
        Errno.EINVAL,
        "a record or a field belongs to a later version of the stream",
        "WATCH_DATA_EXTENDED, and features in DOMAIN_DATA, mean something since version 2. A reader"
        " of version 1 does not know them.",
        "Set the version in the header to 2, or leave the record or field out.",
        "WATCH_DATA_EXTENDED in a stream of version 1",
    ),
)


class XenstoreCheck(Check):
    """Connections and transactions come before what refers to them, and once; versions fit."""

    format: ClassVar[str] = "xenstore"
    codes: ClassVar[frozenset[int]] = frozenset({2, 3, 4, 5, 7, 8})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        self._version = 0
        self._connections: set[int] = set()
        self._transactions: set[tuple[int, int]] = set()
        self._domains: set[int] = set()

    def begin(self, container: Container) -> Iterable[Problem]:
        """Remember the version."""
        self._version = container.version
        return ()

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Judge a record against those before it."""
        match seen.body:
            case ConnectionData(conn_id=number):
                yield from _taken(number, self._connections, "connection", "conn_id")
            case DomainData(domid=number, features=features):
                yield from _taken(number, self._domains, "domain", "domid")
                if features and self._version == 1:
                    yield _too_new("`features` is not 0", 4, "features")
            case WatchDataExtended(conn_id=number):
                if self._version == 1:
                    yield _too_new("WATCH_DATA_EXTENDED stands in it", None, None)
                yield from self._connection(number)
            case WatchData(conn_id=number):
                yield from self._connection(number)
            case TransactionData(conn_id=number, tx_id=transaction):
                yield from self._connection(number)
                if (number, transaction) in self._transactions:
                    yield _already(f"transaction {transaction} of connection {number}", 4, "tx_id")
                self._transactions.add((number, transaction))
            case NodeData(conn_id=number, tx_id=transaction) if number:
                yield from self._connection(number)
                known = (number, transaction) in self._transactions
                if number in self._connections and not known:
                    yield Problem(
                        "xenstore-stream/transaction-missing",
                        f"no TRANSACTION_DATA for transaction {transaction} of connection {number}"
                        " comes before this node",
                        4,
                        "tx_id",
                        actual=transaction,
                    )

    def _connection(self, number: int) -> Iterator[Problem]:
        if number not in self._connections:
            yield Problem(
                "xenstore-stream/connection-missing",
                f"no CONNECTION_DATA for connection {number} comes before this record",
                0,
                "conn_id",
                actual=number,
            )


def _taken(number: int, numbers: set[int], what: str, field: str) -> Iterator[Problem]:
    if number in numbers:
        yield _already(f"{what} {number}", 0, field)
    numbers.add(number)


def _already(what: str, offset: int, field: str) -> Problem:
    return Problem(
        "xenstore-stream/number-taken", f"{what} stands in the stream already", offset, field
    )


def _too_new(what: str, offset: int | None, field: str | None) -> Problem:
    return Problem(
        "xenstore-stream/version",
        f"the stream is of version 1, and {what}",
        offset,
        field,
        expected="version 2",
        actual="version 1",
    )


@hookimpl
def domctx_checks() -> list[CheckDeclaration]:
    """Return the check of this distribution."""
    return [CheckDeclaration(XenstoreCheck)]
