"""Building again the estimator of a finished search with the weights that it ended with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from nasctl import walk
from nasctl.config.build import make
from nasctl.config.compose import config_folders
from nasctl.config.configuration import Configuration
from nasctl.config.settings import Config
from nasctl.config.signature import NOT_SIGNED
from nasctl.config.targets import TARGET, is_address, known
from nasctl.core import EstimatorContext, SearchSpace
from nasctl.errors import RequestError
from nasctl.runs.added import completed
from nasctl.runs.directory import CHECKPOINT, restore
from nasctl.runs.reader import RunFiles, finished
from nasctl.search.data import SearchData
from nasctl.search.shared_weights import SharedWeights

KIND = "proxy"  # what a search with shared weights calls its error


def load(path: Path, space: SearchSpace, ours: Configuration, device: torch.device) -> SharedWeights:
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
    return SharedWeights(estimator, {"name": str(path), "sampler": sampler_of(theirs["estimator"]), **kept})


def _build(path: Path, space: SearchSpace, ours: Configuration, theirs: Config, device: torch.device) -> Any:
    """Return the estimator that a run had, on its own split of the data; classes and addresses are those of here."""
    origin, classes = path / "config.yaml", known(config_folders())
    for group in ("dataset", "space", "estimator"):
        classes.check(theirs[group], group, origin)
    places = {key: value for key, value in ours.plain["dataset"].items() if _is_of_here(key, value)}
    node = theirs["dataset"] | {key: value for key, value in places.items() if key in theirs["dataset"]}
    node = classes.at_home(node, "dataset", {f"dataset.{key}": value for key, value in places.items()}, origin)
    classes.at_home(theirs["estimator"], "estimator", {}, origin)
    dataset = make(completed(node), Path(ours.settings.paths.data), device, theirs["seed"])
    searched = make(completed(theirs["space"]), dataset.task)
    if walk.decisions(searched, walk.first(searched)) != walk.decisions(space, walk.first(space)):
        raise RequestError(
            f"from: {path} searched another space than the others or the one chosen here; name runs of one space"
        )
    settings = _scoring(completed(theirs["estimator"]), ours)
    return make(settings, EstimatorContext(searched, SearchData(dataset), device, theirs["seed"], lambda shown: None))


def sampler_of(node: Config) -> str | None:
    """Return the name of the paths that trained shared weights: that of the module of their sampler."""
    module = (node.get("sampler") or {}).get(TARGET)
    return module and str(module).split(".")[-2]


def _scoring(theirs: Config, ours: Configuration) -> Config:
    """Return an estimator's settings with those of this command's score; to recalibrate is to drop moving averages."""
    scoring = ours.settings.correlation
    replaced: Config = {} if scoring.recalibrate is None else {"recalibrate": scoring.recalibrate}
    replaced |= {"norms": "batch"} if scoring.recalibrate else {}
    return theirs | {"val_batches": scoring.val_batches, "statistics": theirs["statistics"] | replaced}


def _is_of_here(key: str, value: Any) -> bool:
    """Return whether a setting of the data set is never a run's: it does not touch results, or is an address."""
    return key in NOT_SIGNED or is_address(f"dataset.{key}", value)
