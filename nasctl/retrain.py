"""Architecture to full training to test metrics. The only module that asks a data set for its test split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from nasctl.core import Dataset, Genotype, Metrics, SearchSpace, State, Tick, Trainer, position_seed


def retrain(
    space: SearchSpace,
    genotype: Genotype,
    trainer: Trainer,
    dataset: Dataset,
    device: torch.device,
    seed: int,
    *,
    tick: Tick,
    record: Callable[[Mapping[str, Any]], None],
    state: State | None,
) -> tuple[nn.Module, Metrics]:
    """Train the final form of ``genotype`` on training and validation data; test it once, at the end."""
    torch.manual_seed(position_seed(seed, "network"))
    network = space.build(genotype, "final").to(device)
    trainer.fit(network, dataset, dataset.full(), seed=seed, epochs=None, tick=tick, record=record, state=state)
    return network, trainer.evaluate(network, dataset, dataset.test())
