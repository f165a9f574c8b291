"""params: the trainable weights of a network, the trivial score."""

from __future__ import annotations

from nasctl.estimator.score._untrained import Untrained


class Params:
    """What the space counts; a larger network is a better one."""

    name, reads_data, tasks = "params", False, None

    def score(self, candidate: Untrained) -> float:
        return candidate.cost("params")
