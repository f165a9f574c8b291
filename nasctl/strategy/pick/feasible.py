"""The most probable of the feasible samples (Yang et al. 2022, https://arxiv.org/abs/2204.07615)."""

from __future__ import annotations

from torch import Tensor

from nasctl.strategy._final_samples import FinalSamples
from nasctl.strategy._records import Records


class MostProbableFeasible:
    """Where no sample is feasible, the last one that was evaluated."""

    def picks(self, samples: FinalSamples, records: Records) -> Tensor:
        return samples.most_probable(samples.sets.members, records.last)
