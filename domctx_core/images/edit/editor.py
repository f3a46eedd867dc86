"""Apply operations to an image, one kind after the other."""

from __future__ import annotations

from collections.abc import Iterable

from domctx_core.images.edit.assembler import Assembler
from domctx_core.images.edit.change_log import ChangeLog
from domctx_core.images.edit.operations import EditOperation, Insert, Reorder
from domctx_core.images.edit.outcome import Edit
from domctx_core.images.edit.rearranging import insert_records, remove_records, reorder_records
from domctx_core.images.edit.selection import Selection
from domctx_core.images.edit.setting import FieldSetter
from domctx_core.images.tree import Image
from domctx_core.model.formats import Formats

__all__ = ["edit_image"]


def edit_image(image: Image, operations: Iterable[EditOperation], formats: Formats) -> Edit:
    """Apply operations to an image.

    Whatever order they come in: fields are set first, then records are dropped and kept, then
    records of other images go in, and last comes the order. What is set, dropped and kept is
    selected among the records of `image`.

    Raises `UsageError` for a type or field that does not exist, a value that a field cannot hold,
    a selection that could mean several, and operations that contradict each other; `ImageError`
    for what this image has not got or does not allow; `PluginError` where a plugin that is needed
    cannot be used. The outcome is not judged: see `verify` and `Edit.outcome`.
    """
    operations = tuple(operations)
    selection = Selection(image, formats)
    log = ChangeLog(image.source)
    FieldSetter(image.source, selection, log).set_all(operations)
    remove_records(selection, log, operations)
    for operation in operations:
        if isinstance(operation, Insert):
            insert_records(selection, log, operation)
    for operation in operations:
        if isinstance(operation, Reorder):
            reorder_records(selection, log, operation.order)
    assembler = Assembler(image.source)
    assembler.container(selection.root)
    return Edit(image.source, tuple(assembler.chunks), assembler.size, log.finish())
