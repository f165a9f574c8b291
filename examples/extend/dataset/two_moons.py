"""A data set: two half circles of points in the plane, generated."""

import hashlib
from pathlib import Path

import torch

from nasctl.core import Task
from nasctl.dataset._binary import BinaryClassification
from nasctl.dataset._table import HeldOut, Table


class TwoMoons(BinaryClassification):
    """``rows`` points ``(2,)``, labelled by the half circle; a fifth validates, a fifth is the test."""

    def __init__(
        self, root: Path, device: torch.device, seed: int, *, rows: int, noise: float, limit_train: int | None
    ) -> None:
        self.rows, self.noise = rows, noise
        portions = {"val_portion": 0.2, "test_portion": 0.2, "test_seed": 0, "split_seed": None}
        limits = {"limit_train": limit_train, "limit_test": None}
        super().__init__(
            Task("tabular_classification", (2,), 1), self.read, device, seed, split="random", **portions, **limits
        )

    def read(self, held_out: HeldOut) -> Table:
        """Return the points; a statistic of them, such as a mean, would have to leave out ``held_out`` rows."""
        from sklearn.datasets import make_moons  # a second to import, so only where it is needed

        points, labels = make_moons(self.rows, noise=self.noise, random_state=0)
        numbers = list(points.astype("float32").T.copy())
        digest = hashlib.sha256(b"".join(column.tobytes() for column in numbers)).hexdigest()
        return Table(numbers, [], [], labels, missing_inputs=False, facts={"data": digest})
