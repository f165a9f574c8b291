"""Where an architecture comes from: a run directory, a genotype file, a published genotype, or chance."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasctl import received
from nasctl.core import Architecture, Dataset, Feasible, Genotype, RequestError, SearchSpace, unknown
from nasctl.state_file import load_state
from nasctl.targets import known

if TYPE_CHECKING:
    from torch import nn

RANDOM = "random"
PUBLISHED = Path(__file__).resolve().parent / "space" / "genotypes"


@dataclass(frozen=True)
class Source:
    """A genotype and its origin; ``facts`` is what a later table wants to know of the run it came from."""

    kind: str  # run | file | published | random
    name: str
    genotype: Genotype
    arch: Architecture | None
    facts: Mapping[str, Any]

    def record(self) -> dict[str, Any]:
        """Return what result.json says of the source."""
        return {"kind": self.kind, "name": self.name, **self.facts}


def check_space(chosen: str | None, sources: Sequence[str]) -> None:
    """Raise `RequestError` if no space is ``chosen``, and none of ``sources`` is a run whose space would be taken."""
    if not chosen and not any(Path(text).is_dir() for text in sources):
        raise RequestError(
            f"from={sources[0]}: not a run directory; name one below outputs/ (nasctl ls runs shows them), or add "
            "space=... and dataset=... for a genotype"
        )


def find(text: str, space: SearchSpace) -> Source:
    """Return what ``from=text`` names, or raise `RequestError`."""
    path = Path(text)
    if path.is_dir():
        return _from_run(path, space)
    if path.is_file():
        return Source("file", text, _read(path, space), None, {})
    published = sorted((PUBLISHED / space.family).glob("*.json"))
    for file in published:
        if file.stem == text:
            return Source("published", text, _read(file, space), None, {})
    raise unknown(
        f"from (neither a run, nor a file, nor a published genotype of {space.family})",
        text,
        [*(f.stem for f in published), RANDOM],
    )


def _read(path: Path, space: SearchSpace) -> Genotype:
    """Read a genotype as JSON, or in the family's usual notation."""
    text = received.read_text(path)
    if not text.lstrip().startswith("{"):
        return space.parse(text)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"{path}: not a JSON file ({error}); correct it") from error
    family = data.get("family", space.family)
    if family != space.family:
        raise RequestError(f"{path}: a genotype of {family}, but the space is {space.family}; choose space={family}")
    return space.check(data.get("genotype", data))


def _from_run(path: Path, space: SearchSpace) -> Source:
    result, config = finished(path)
    architecture = received.architecture(path)
    genotype = _read(path / "architecture.json", space)
    arch = None if architecture["arch"] is None else tuple(architecture["arch"])
    if arch is not None and not _stands_for(space, arch, genotype):
        arch = None  # found in the same family, but with other nodes or operations
    needed = ("source",) if result["verb"] == "retrain" else ("device", "space_size", "ops", "cost")
    received.check(path / "result.json", result, received.RESULT, *needed)
    received.check(path / "config.yaml", config, received.CONFIG, "signature", "seed", "choices", "label")
    if result["verb"] == "retrain":  # the origin is what that retrain started from
        origin = dict(result["source"])
        return Source(origin.pop("kind"), origin.pop("name"), genotype, arch, origin)
    facts = {
        "signature": config["signature"],
        "method": result.get("method"),
        "seed": config["seed"],
        "choices": config["choices"],
        "label": config["label"],
        "device": result["device"],
        "space_size": result["space_size"],
        "ops": result["ops"],
        "cost": result["cost"],
        "work": result.get("work"),  # runs of old lack it
        "budget": result.get("budget"),
    }
    return Source("run", str(path), genotype, arch, facts)


def searched(text: str, space: SearchSpace) -> Source:
    """Return the finished search ``text``, or raise `RequestError`."""
    path = Path(text)
    if path.is_dir() and finished(path)[0]["verb"] == "search":
        return _from_run(path, space)
    raise RequestError(f"from: {text} is not the directory of a search; name searches (nasctl ls runs shows them)")


def drawn(text: str, space: SearchSpace, feasible: Feasible, seed: int) -> Source | None:
    """Return the architecture that ``random`` or ``random:SEED`` names, ``seed`` where none is given; else None.

    It is the first one that a random search of that seed asks for: uniform over the feasible ones.
    """
    from nasctl.strategy.random_search import RandomSearch

    word, colon, number = text.partition(":")
    if word != RANDOM or Path(text).exists():
        return None
    if colon and not number.isdecimal():
        raise RequestError(f"from={text}: {number!r} is no seed; write random:0, random:1, ... or random")
    seed = int(number) if colon else seed
    arch = RandomSearch(space, feasible, seed).sample().arch
    facts = {"seed": seed, "space_size": space.size, "ops": space.num_operations}
    return Source(RANDOM, RANDOM, space.genotype(arch), arch, facts)


def _stands_for(space: SearchSpace, arch: Architecture, genotype: Genotype) -> bool:
    """Return whether ``arch`` is an architecture of this very space, and ``genotype`` its genotype."""
    walked = all(option in space.legal(arch[:i]) for i, option in enumerate(arch)) and not space.legal(arch)
    return walked and space.genotype(arch) == genotype


def finished(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return result.json and config.yaml of a finished run, or raise `RequestError`."""
    status = path / "status.json"
    if not status.is_file():
        raise RequestError(f"{path}: not a run directory; name one below outputs/ (nasctl ls runs shows them)")
    found = received.status(path)
    if found["status"] != "finished":
        raise RequestError(f"{path}: the run is {found['status']}, not finished; give its command again to resume it")
    return received.result(path, "verb"), received.config(path)


def architecture_record(space: SearchSpace, genotype: Genotype, arch: Architecture | None) -> dict[str, Any]:
    """Return the content of architecture.json."""
    names = None
    if arch is not None:
        names = {d.name: d.options[option] for d, option in zip(space.decisions, arch, strict=True)}
    return {
        "family": space.family,
        "genotype": genotype,
        "decisions": names,
        "notation": space.notation(genotype),
        "arch": None if arch is None else list(arch),
    }


@dataclass(frozen=True)
class Loaded:
    """A finished run as a Python program sees it; ``network`` is trained, or None after a search."""

    genotype: Genotype
    network: nn.Module | None


def load(run: str, data: str | None, config_dir: str | None, given: Mapping[str, Any]) -> Loaded:
    """Return the genotype and the trained network of a finished run directory; `nasctl.load` says more."""
    import torch

    from nasctl.config import conf_dir, make

    path = Path(run)
    _, config = finished(path)
    origin = path / "config.yaml"
    received.check(origin, config, received.CONFIG, "space", "dataset", "seed")
    classes = known((conf_dir(), *(Path(folder) for folder in [config_dir] if folder)))
    for group in ("dataset", "space"):
        classes.check(config[group], group, origin)
    root = Path(data or os.environ.get("NASCTL_DATA", "data"))
    node = classes.at_home(config["dataset"], "dataset", {"dataset.download": False, **given}, origin)
    dataset = make(node, root, torch.device("cpu"), config["seed"])
    space = make(config["space"], dataset.task)
    genotype = _read(path / "architecture.json", space)
    _check_words(path, dataset)
    if not (path / "weights.pt").exists():
        return Loaded(genotype, None)
    network = space.build(genotype, "final")
    try:
        network.load_state_dict(load_state(path / "weights.pt"))
    except (RuntimeError, TypeError, AttributeError) as error:
        raise RequestError(f"{path}: weights.pt holds the weights of another network; get the run again") from error
    return Loaded(genotype, network.eval())


def _check_words(path: Path, dataset: Dataset) -> None:
    """Raise `RequestError` if a text no longer has the vocabulary that the run was made with."""
    recorded = (received.read_json(path / "environment.json").get("data") or {}).get("vocabulary")
    if recorded and dataset.fingerprint()["vocabulary"] != recorded:
        raise RequestError(
            f"{path}: the vocabulary of the data differs from the one that the run was made with; put the text back "
            "that it was trained on"
        )
