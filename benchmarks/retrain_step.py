"""A training step of the network of DARTS_V2, 36 channels and 20 cells, against plain modules in NCHW."""

from __future__ import annotations

import json
from importlib import resources

from torch.nn.functional import cross_entropy

from benchmarks.pairs import alternate
from benchmarks.plain import PlainGenotype
from benchmarks.problem import CLASSES, LAYOUTS, Descent, Images, Rows, space

BATCH = 16


def rows() -> Rows:
    """Yield the seconds of a step without auxiliary head and drop path."""
    genotype = json.loads(resources.files("nasctl.space").joinpath("genotypes/darts/DARTS_V2.json").read_text())
    genotype = genotype.get("genotype", genotype)
    network = space().build(genotype, "final")
    network.auxiliary = None
    plain = PlainGenotype(genotype, 3, CLASSES, channels=36, cells=20)
    for layout in LAYOUTS:
        pair = (Step(network, layout), Step(plain, "NCHW"))
        yield f"retrain step, DARTS_V2, batch {BATCH}, {layout} / plain NCHW", *alternate(*pair, pairs=9)


class Step:
    """A step of SGD on random images."""

    def __init__(self, network, layout: str) -> None:
        self.descent, self.batch = Descent(network, layout), Images(BATCH).train()
        self.x = self.batch.x.contiguous(memory_format=LAYOUTS[layout])

    def __call__(self) -> None:
        self.descent.step(lambda: cross_entropy(self.descent.network(self.x), self.batch.y))
