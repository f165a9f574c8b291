"""What a supernet runs of each relaxed choice: a mixture, one active option, or the path of an architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nasctl.core import Architecture, Candidate

Terms = list[tuple[int, Tensor | None]]
"""Options to run on one row with the weight that multiplies each; no weight means 1."""


def terms(candidate: Candidate, relaxed_path: Callable[[Architecture], Sequence[int]]) -> list[Terms]:
    """Return the terms of each relaxed choice; ``relaxed_path`` gives the options that an architecture runs.

    Without weights only the option of the path stands here, so a path costs only that path.
    """
    if candidate.weights is None:
        return [[(option, None)] for option in relaxed_path(candidate.arch)]
    if candidate.active is None:
        return [list(enumerate(row.unbind())) for row in candidate.weights]
    return [[(k, row[k])] for row, k in zip(candidate.weights, candidate.active, strict=True)]
