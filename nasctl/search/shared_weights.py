"""The shared weights of a finished search, as a score of architectures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nasctl import walk
from nasctl.config.build import make
from nasctl.config.compose import config_folders
from nasctl.config.settings import Config
from nasctl.config.signature import NOT_SIGNED
from nasctl.config.targets import is_address, known
from nasctl.core import Architecture, Candidate, EstimatorContext, Metrics, SearchSpace
from nasctl.errors import RequestError
from nasctl.runs.added import completed
from nasctl.runs.directory import CHECKPOINT, restore
from nasctl.runs.reader import RunFiles, finished
from nasctl.search.loop import SearchData

KIND = "proxy"  # what a search with shared weights calls its error


@dataclass(frozen=True)
class SharedWeights:
    """The estimator of a finished search with the weights that it ended with; ``facts`` name the run."""

    estimator: Any
    facts: Mapping[str, Any]

    def score(self, arch: Architecture) -> Metrics:
        """Return the metrics of an architecture, a function of it alone."""
        return self.estimator.score(Candidate(arch))


def load(path: Path, space: SearchSpace, ours: Config, device: torch.device) -> SharedWeights:
    """Return the shared weights of the run ``path``, or raise `RequestError` if it has none for ``space``.

    ``correlation.val_batches`` and ``correlation.recalibrate`` of ``ours`` say how they score; the rest is the run's.
    """
    result, theirs = finished(path)
    if result["error_kind"] != KIND:
        raise RequestError(
            f"from: {path} searched with estimator={theirs['choices'].get('estimator')}, which leaves no shared "
            "weights; name a search with estimator=supernet"
        )
    files = RunFiles(path)
    files.read("config.yaml", "estimator")
    if not (path / CHECKPOINT).exists():  # removed to save space, perhaps
        raise RequestError(f"from: {path} has no checkpoint.pt, which holds its shared weights; run that search again")
    estimator = _build(path, space, ours, theirs, device)
    restore(files, "estimator", estimator)
    kept = {name: theirs.get(name) for name in ("signature", "seed", "label", "choices")}
    return SharedWeights(estimator, {"name": str(path), "sampler": theirs["estimator"].get("sampler"), **kept})


def _build(path: Path, space: SearchSpace, ours: Config, theirs: Config, device: torch.device) -> Any:
    """Return the estimator that a run had, on its own split of the data; classes and addresses are those of here."""
    origin, classes = path / "config.yaml", known(config_folders())
    for group in ("dataset", "space", "estimator"):
        classes.check(theirs[group], group, origin)
    places = {key: value for key, value in ours["dataset"].items() if _is_of_here(key, value)}
    node = theirs["dataset"] | {key: value for key, value in places.items() if key in theirs["dataset"]}
    node = classes.at_home(node, "dataset", {f"dataset.{key}": value for key, value in places.items()}, origin)
    classes.at_home(theirs["estimator"], "estimator", {}, origin)
    dataset = make(completed(node), Path(ours["paths"]["data"]), device, theirs["seed"])
    searched = make(completed(theirs["space"]), dataset.task)
    if walk.decisions(searched, walk.first(searched)) != walk.decisions(space, walk.first(space)):
        raise RequestError(
            f"from: {path} searched another space than the others or the one chosen here; name runs of one space"
        )
    settings = completed(theirs["estimator"]) | _scoring(ours)
    return make(settings, EstimatorContext(searched, SearchData(dataset), device, theirs["seed"], lambda shown: None))


def _scoring(ours: Config) -> Config:
    """Return the settings of the score that this command replaces; to recalibrate is to drop moving averages."""
    val_batches, recalibrate = (ours["correlation"][name] for name in ("val_batches", "recalibrate"))
    if recalibrate is None:
        return {"val_batches": val_batches}
    return {"val_batches": val_batches, "recalibrate": recalibrate, **({"norms": "batch"} if recalibrate else {})}


def _is_of_here(key: str, value: Any) -> bool:
    """Return whether a setting of the data set is never a run's: it does not touch results, or is an address."""
    return key in NOT_SIGNED or is_address(f"dataset.{key}", value)
