"""Feed-forward networks trained side by side, against one after the other by the trainer with the same settings."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from benchmarks.pairs import alternate
from benchmarks.problem import DEVICE
from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Candidate, EstimatorContext, TrainingSession

PAIRS, NETWORKS = 3, 20
CASES = {
    "tumours, 30 inputs": ["dataset=breast_cancer", "trainer.batch_size=32"],
    "clicks, 1,027 inputs": ["dataset=criteo_synthetic", "dataset.rows=20000"],
}
BLOCKS = {"8-8-*": (0, 0), "32-144-*": (3, 10), "512-512-*": (19, 19)}


class Case:
    """A data set, the whole space of 8,000 networks, and one epoch of training in two ways."""

    def __init__(self, overrides: list[str], root: Path) -> None:
        chosen = ["space=ffn", "trainer=ffn", "estimator=stacked", "trainer.epochs=1", *overrides]
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            self.config: Any = OmegaConf.to_container(compose("config", chosen), resolve=True)
        self.data = make(self.config["dataset"], root, DEVICE, 0)
        self.space = make(self.config["space"], self.data.task)
        self.data.train()

    def ours(self, prefix: tuple[int, ...]) -> None:
        estimator = make(
            self.config["estimator"], EstimatorContext(self.space, self.data, DEVICE, 0, lambda values: None)
        )
        estimator.evaluate(Candidate((*prefix, 0)), 0)

    def plain(self, prefix: tuple[int, ...]) -> None:
        trainer = make(self.config["trainer"])
        session = TrainingSession(seed=0, on_step=lambda state, values: None, record=lambda line: None)
        for option in range(NETWORKS):
            network = self.space.build(self.space.genotype((*prefix, option)), "final").to(DEVICE)
            trainer.fit(network, self.data, self.data.train(), session)
            trainer.evaluate(network, self.data, self.data.val())


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield the seconds of an epoch of the 20 networks of a block."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        for name, overrides in CASES.items():
            case = Case(overrides, Path(folder))
            for block, prefix in BLOCKS.items():
                times = alternate(lambda c=case, p=prefix: c.ours(p), lambda c=case, p=prefix: c.plain(p), PAIRS)
                yield f"{NETWORKS} networks {block} at once, {name} / in turn", *times
