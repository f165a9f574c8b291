"""The metrics of outputs over several batches, summed on the device."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from nasctl.core import Dataset, Metrics


def measured(dataset: Dataset, batches: Iterable[tuple[Tensor, Tensor]], dtype: torch.dtype | None = None) -> Metrics:
    """Return the metrics of all ``batches`` of outputs and targets; sums are in ``dtype``, or in their own type."""
    sums: dict[str, Tensor] = {}
    examples = 0
    for outputs, targets in batches:
        for name, value in dataset.measure(outputs, targets).items():
            own = value if dtype is None else value.to(dtype)
            sums[name] = sums[name] + own if name in sums else own
        examples += len(targets)
    return dataset.metrics({name: value.tolist() for name, value in sums.items()}, examples)
