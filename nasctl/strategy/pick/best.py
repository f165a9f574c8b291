"""The best trial of each replica, as https://github.com/D-X-Y/AutoDL-Projects, exps/NATS-algos/reinforce.py has it."""

from __future__ import annotations

from torch import Tensor

from nasctl.strategy._final_samples import FinalSamples
from nasctl.strategy._records import Records
from nasctl.strategy.pick.mode import Mode


class Best(Mode):
    """Where a replica has no successful trial, all replicas return their mode."""

    def picks(self, samples: FinalSamples, records: Records) -> Tensor:
        return records.best if bool((records.best >= 0).all()) else super().picks(samples, records)
