"""Architecture to full training to test metrics. The only module that asks a data set for its test split."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from nasctl.core import (
    Dataset,
    Genotype,
    Metrics,
    Split,
    TestedDataset,
    TrainableSpace,
    Trained,
    Trainer,
    TrainingSession,
)
from nasctl.seeds import position_seed


def retrain(
    space: TrainableSpace,
    genotype: Genotype,
    trainer: Trainer,
    dataset: TestedDataset,
    device: torch.device,
    session: TrainingSession,
) -> tuple[nn.Module, Trained, Metrics]:
    """Train the final form of ``genotype`` on training and validation data; test it once, at the end.

    Where the trainer holds out a part to choose weights by, that part is not trained on. Returned are the
    network with the weights that were tested, which those are, and its metrics on the test split.
    """
    torch.manual_seed(position_seed(session.seed, "network"))
    network = space.build(genotype, "final").to(device)
    split, choose_by = _splits(dataset, trainer.held_out)
    trained = trainer.fit(network, dataset, split, replace(session, choose_by=choose_by))
    return network, trained, trainer.evaluate(network, dataset, dataset.test())


def _splits(dataset: Dataset, held_out: float) -> tuple[Split, Split | None]:
    return dataset.held_out(held_out) if held_out else (dataset.full(), None)
