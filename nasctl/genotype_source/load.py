"""What a finished run gives back to a Python program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nasctl.core import Dataset, Genotype, RequestError
from nasctl.genotype_source.reader import recorded
from nasctl.runs.plain import short
from nasctl.runs.reader import RunFiles, finished

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
    from nasctl.runs import tensors

    path = Path(run)
    _, config = finished(path)
    dataset = make(config["dataset"], Path(config["paths"]["data"]), torch.device("cpu"), config["seed"])
    space = make(config["space"], dataset.task)
    files = RunFiles(path)
    genotype = recorded(path / "architecture.json", files.read("architecture.json", "genotype"), space)
    _check_words(path, dataset)
    if not files.has("weights.pt"):
        return Loaded(genotype, None)
    network = space.build(genotype, "final")
    try:
        network.load_state_dict(tensors.read(files, "weights.pt"))
    except (RuntimeError, TypeError, AttributeError) as error:
        raise files.damaged("weights.pt", f"does not fit the network ({short(error)})") from error
    return Loaded(genotype, network.eval())


def _check_words(path: Path, dataset: Dataset) -> None:
    """Raise `RequestError` if a text no longer has the vocabulary that the run was made with."""
    recorded = RunFiles(path).read("environment.json", "data")["data"].get("vocabulary")
    if recorded and dataset.fingerprint()["vocabulary"] != recorded:
        raise RequestError(
            f"{path}: the vocabulary of the data differs from the one that the run was made with; put the text back "
            "that it was trained on"
        )
