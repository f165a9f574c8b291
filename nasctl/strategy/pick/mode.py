"""The most probable option of each decision, feasible or not; where it is not covered, the most probable sample."""

from __future__ import annotations

import torch
from torch import Tensor

from nasctl.strategy._final_samples import FinalSamples
from nasctl.strategy._records import Records


class Mode:
    """An option of each decision by itself, so that the limit may be exceeded."""

    def picks(self, samples: FinalSamples, records: Records) -> Tensor:
        modes, accepted = samples.modes(), samples.sets.covered
        covered = accepted(modes)
        if bool(covered.all()):
            return modes
        return torch.where(covered[:, None], modes, samples.most_probable(accepted, records.last))
