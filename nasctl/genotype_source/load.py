"""What a finished run gives back to a Python program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasctl.config.targets import known
from nasctl.core import Dataset, Genotype
from nasctl.errors import RequestError
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


def load(run: str, data: str | None, config_dir: str | None, given: Mapping[str, Any]) -> Loaded:
    """Return the genotype and the trained network of a finished run directory; `nasctl.load` says more."""
    import torch

    from nasctl.config import own_files
    from nasctl.config.build import make
    from nasctl.config.settings import conf_dir
    from nasctl.runs import tensors
    from nasctl.runs.added import completed

    path = Path(run)
    _, config = finished(path)
    origin = path / "config.yaml"
    folders = [Path(folder) for folder in [config_dir] if folder]
    own_files.take(folders)
    classes = known((conf_dir(), *folders))
    for group in ("dataset", "space"):
        classes.check(config[group], group, origin)
    root = Path(data or os.environ.get("NASCTL_DATA", "data"))
    node = classes.at_home(config["dataset"], "dataset", {"dataset.download": False, **given}, origin)
    dataset = make(completed(node), root, torch.device("cpu"), config["seed"])
    space = make(completed(config["space"]), dataset.task)
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
