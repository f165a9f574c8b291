"""What a finished run gives back to a Python program."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nasctl.core import Dataset, Genotype, RequestError
from nasctl.genotype_source.find import finished
from nasctl.genotype_source.reader import recorded

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Loaded:
    """A finished run as a Python program sees it; ``network`` is trained, or None after a search."""

    genotype: Genotype
    network: nn.Module | None


def load(run: str) -> Loaded:
    """Return the genotype and the trained network of a finished run directory."""
    import torch

    from nasctl.config import make

    path = Path(run)
    _, config = finished(path)
    dataset = make(config["dataset"], Path(config["paths"]["data"]), torch.device("cpu"), config["seed"])
    space = make(config["space"], dataset.task)
    genotype = recorded(path / "architecture.json", space)
    _check_words(path, dataset)
    if not (path / "weights.pt").exists():
        return Loaded(genotype, None)
    network = space.build(genotype, "final")
    network.load_state_dict(torch.load(path / "weights.pt", weights_only=True, map_location="cpu"))
    return Loaded(genotype, network.eval())


def _check_words(path: Path, dataset: Dataset) -> None:
    """Raise `RequestError` if a text no longer has the vocabulary that the run was made with."""
    recorded = json.loads((path / "environment.json").read_text())["data"].get("vocabulary")
    if recorded and dataset.fingerprint()["vocabulary"] != recorded:
        raise RequestError(
            f"{path}: the vocabulary of the data differs from the one that the run was made with; put the text back "
            "that it was trained on"
        )
