"""What differs between two images, record by record and field by field."""

from domctx_core.diff.compare import diff_images
from domctx_core.diff.model import (
    Change,
    ContainerChange,
    ContainerPlace,
    Diff,
    Keys,
    PartsChange,
    RecordChange,
    RecordPlace,
    Value,
)

__all__ = [
    "Change",
    "ContainerChange",
    "ContainerPlace",
    "Diff",
    "Keys",
    "PartsChange",
    "RecordChange",
    "RecordPlace",
    "Value",
    "diff_images",
]
