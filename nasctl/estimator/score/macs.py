"""macs: the multiply-accumulates of one example of a network, the trivial score."""

from __future__ import annotations

from nasctl.estimator.score._untrained import Untrained


class Macs:
    """What the space counts; a larger network is a better one."""

    name, reads_data, tasks = "macs", False, None

    def score(self, candidate: Untrained) -> float:
        return candidate.cost("macs")
