"""The reward of language models: a constant over a power of the perplexity.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 4.2, square it; Pham et al. 2018,
https://arxiv.org/abs/1802.03268, section 3.1, do not.
"""

from __future__ import annotations

from pydantic import PositiveFloat

from nasctl.core import Metrics
from nasctl.errors import RequestError


class Perplexity:
    """``scale / perplexity ** power``; 0 where the perplexity is infinite."""

    resources: tuple[str, ...] = ()

    def __init__(self, *, scale: PositiveFloat, power: PositiveFloat) -> None:
        self.scale, self.power = scale, power

    def __call__(self, metrics: Metrics) -> float:
        return self.quality(metrics)

    def quality(self, metrics: Metrics) -> float:
        if "perplexity" not in metrics:
            raise RequestError(
                f"reward=perplexity: this data set measures {', '.join(metrics)}; choose a data set of text, such as "
                "dataset=ptb, or reward=metric"
            )
        return float(self.scale * metrics["perplexity"] ** -self.power)
