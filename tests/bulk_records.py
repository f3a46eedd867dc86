"""A record type of bulk data, and domains with state of it."""

from __future__ import annotations

import os
from typing import ClassVar

from support import (
    LoggedDomain,
    image,
    rec,
    registry,
)

from domctx_core import (
    Body,
    Domain,
    RecordType,
    SaveContext,
    blob,
)


class Bulk(Body):
    """Any number of bytes."""

    data: bytes = blob()


class BulkType(RecordType[Bulk]):
    """Writes its bytes piece by piece, without saying how many there will be."""

    code, name, body = 0x100, "BULK", Bulk
    piece: ClassVar[int] = 1000
    known: ClassVar[bool] = False

    def save(self, domain: Domain, context: SaveContext) -> None:
        for instance in domain.instances(Bulk):
            data = domain.read(Bulk, instance).data
            context.begin(self.code, instance, len(data) if self.known else None)
            for at in range(0, len(data), self.piece):
                context.data(data[at : at + self.piece])
            context.end()


class KnownBulkType(BulkType):
    known = True
    piece = 100_000


def bulk_domain(*sizes: int, kind: type[BulkType] = BulkType) -> LoggedDomain:
    made = LoggedDomain(registry([kind]))
    made.state[Bulk] = {n: Bulk(data=os.urandom(size)) for n, size in enumerate(sizes)}
    return made


def bulk_image(made: LoggedDomain) -> bytes:
    return image(*(rec(0x100, n, body.data) for n, body in made.state[Bulk].items()))
