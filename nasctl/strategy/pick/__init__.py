"""The pick of a policy gradient on independent logits: the final architecture of each replica."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from nasctl.strategy._final_samples import FinalSamples
from nasctl.strategy._records import Records


class Pick(Protocol):
    """Has settings only; it is asked with samples of the policies and the records of their trials."""

    def picks(self, samples: FinalSamples, records: Records) -> Tensor:
        """Return the final architectures ``(replicas, decisions)``; pure."""
