"""Where an architecture comes from: a run directory, a genotype file, a published genotype, a text, or chance."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nasctl import walk
from nasctl.core import Architecture, Feasible, Genotype, Remark, SearchSpace
from nasctl.errors import RequestError, unknown
from nasctl.files import is_file, is_folder
from nasctl.genotype_format import _literal
from nasctl.genotype_source.published import named, names
from nasctl.genotype_source.reader import read_file, read_text, recorded
from nasctl.runs.reader import RunFiles, finished, phases

RANDOM = "random"
FINDING = ("search", "select", "retrain")  # verbs whose runs end with an architecture


@dataclass(frozen=True)
class Source:
    """A genotype and its origin; ``facts`` is what a later table wants to know of the run it came from."""

    kind: str  # run | file | published | text | random
    name: str
    genotype: Genotype
    arch: Architecture | None
    facts: Mapping[str, Any]

    def title(self) -> str:
        """Return the name as the part of a path: of a genotype in a file of several its own, of a text nothing."""
        if self.kind == "text":
            return ""
        file, colon, name = self.name.rpartition(":")
        return re.sub(r"[^\w.-]", "_", name) if colon and is_file(file) else Path(self.name).stem

    @property
    def training(self) -> Mapping[str, Any]:
        """Return the settings of the trainer that were found with the genotype, by their path."""
        settings: Mapping[str, Any] = self.facts.get("training") or {}
        return settings

    def record(self) -> dict[str, Any]:
        """Return what result.json says of the source."""
        return {"kind": self.kind, "name": self.name, **self.facts}


def check_space(chosen: str | None, sources: Sequence[str]) -> None:
    """Raise `RequestError` if no space is ``chosen``, and none of ``sources`` is a run whose space would be taken."""
    if not chosen and not any(is_folder(text) for text in sources):
        raise RequestError(
            f"from={_literal.cut(sources[0])}: not a run directory; name one below outputs/ (nasctl ls runs shows "
            "them), or add space=... and dataset=... for a genotype"
        )


def find(text: str, space: SearchSpace) -> Source:
    """Return what ``from=text`` names or writes, its genotype in canonical form, or raise `RequestError`.

    What was read and has no effect, such as the weights of edges, is said on standard error.
    """
    if is_folder(text):
        return _from_run(Path(text), space)
    file, colon, name = (text, "", "") if is_file(text) else text.rpartition(":")
    if is_file(file):
        return _from_file(text, Path(file), name if colon else None, space)
    if (path := named(text, space.format.family)) is not None:
        return _read("published", text, lambda remark: read_file(path, None, space, remark), space)
    if not _is_notation(text):
        raise unknown(
            f"from (neither a run, nor a file, nor a published genotype of {space.format.family})",
            _literal.cut(text),
            [*names(space.format.family), RANDOM],
        )
    return _written(text, space)


def _from_file(text: str, path: Path, name: str | None, space: SearchSpace) -> Source:
    return _read("file", text, lambda remark: read_file(path, name, space, remark), space)


def _written(text: str, space: SearchSpace) -> Source:
    try:
        source = _read("text", text, lambda remark: read_text(text, space, remark), space)
    except RequestError as error:
        raise RequestError(
            f"from={_literal.shown(text)} is neither a run, nor a file, nor a published genotype of "
            f"{space.format.family}, and no text of one ({re.sub(r'^from(, line [0-9]+)?: ', '', str(error))})"
        ) from error
    return replace(source, name=space.format.notation(source.genotype))


def _read(kind: str, name: str, read: Callable[[Remark], Genotype], space: SearchSpace) -> Source:
    remarks: list[str] = []
    genotype = space.format.canonical(read(remarks.append))
    for remark in dict.fromkeys(remarks):
        print(f"note: {remark}", file=sys.stderr)
    return Source(kind, name, genotype, None, {"remarks": list(dict.fromkeys(remarks))} if remarks else {})


def _is_notation(text: str) -> bool:
    """Return whether ``text`` can only be a genotype: it has no letter, or what no name and hardly a path has."""
    return not any(map(str.isalpha, text)) or any(character in "|~()[]{}=" for character in text)


def _from_run(path: Path, space: SearchSpace) -> Source:
    result, config = finished(path, "ops")
    if result["verb"] not in FINDING:
        raise RequestError(f"from: {path} was made by {result['verb']}, which finds no architecture; name another run")
    architecture = RunFiles(path).read("architecture.json", "genotype")
    genotype = space.format.canonical(recorded(path / "architecture.json", architecture, space))
    arch = None if architecture.get("arch") is None else tuple(architecture["arch"])
    if arch is not None and not _stands_for(space, arch, genotype):
        arch = None  # found in the same family, but with other nodes or operations
    training = {"training": architecture["training"]} if architecture.get("training") else {}
    if result["verb"] == "retrain":  # the origin is what that retrain started from
        origin = dict(result["source"])
        return Source(origin.pop("kind"), origin.pop("name"), genotype, arch, {**origin, **training})
    facts = {
        "signature": config["signature"],
        "method": result.get("method"),
        "seed": config["seed"],
        "choices": config["choices"],
        "label": config.get("label"),
        "device": result["device"],
        "space_size": result.get("space_size"),  # null of spaces whose walks end early
        "ops": result["ops"],
        "cost": phases(path, result, "cost"),
        "work": phases(path, result, "work") if result.get("work") else None,  # runs of old lack it
        "budget": result.get("budget"),
        "cpu_seconds": result.get("cpu_seconds"),
        **_likeness(path, result, config),
        **training,
    }
    return Source("run", str(path), genotype, arch, facts)


def _likeness(path: Path, result: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tables judge by whether two architectures come from like searches."""
    environment = RunFiles(path).optional("environment.json", {})
    before = (result.get("selected") or {}).get("cut") or {}
    return {
        "error_kind": result.get("error_kind"),
        "published": config.get("published"),
        "cut": {**before, result["verb"]: config.get("cut")},
        "constraint": _without(config.get("constraint") or {}, "_target_"),
        "space_settings": _without(config.get("space") or {}, "_target_", "search", "final"),
        "data": environment.get("data"),
    }


def _without(node: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in names}


def searched(text: str, space: SearchSpace) -> Source:
    """Return the finished search ``text``, or raise `RequestError`."""
    path = Path(text)
    if is_folder(text) and finished(path)[0]["verb"] == "search":
        return _from_run(path, space)
    raise RequestError(f"from: {text} is not the directory of a search; name searches (nasctl ls runs shows them)")


def drawn(text: str, space: SearchSpace, feasible: Feasible, seed: int) -> Source | None:
    """Return the architecture that ``random`` or ``random:SEED`` names, ``seed`` where none is given; else None.

    It is the first one that a random search of that seed asks for: uniform over the feasible ones.
    """
    from nasctl.strategy.random_search import RandomSearch

    word, colon, number = text.partition(":")
    if word != RANDOM or is_folder(text) or is_file(text):
        return None
    if colon and not number.isdecimal():
        raise RequestError(f"from={text}: {number!r} is no seed; write random:0, random:1, ... or random")
    seed = int(number) if colon else seed
    arch = RandomSearch(space, feasible, seed).sample().arch
    facts = {"seed": seed, "space_size": space.size, "ops": space.num_operations}
    return Source(RANDOM, RANDOM, space.format.canonical(space.genotype(arch)), arch, facts)


def _stands_for(space: SearchSpace, arch: Architecture, genotype: Genotype) -> bool:
    """Return whether ``arch`` is an architecture of this very space, and ``genotype`` its genotype."""
    return walk.belongs(space, arch) and space.format.canonical(space.genotype(arch)) == genotype


def architecture_record(space: SearchSpace, genotype: Genotype, arch: Architecture | None) -> dict[str, Any]:
    """Return the content of architecture.json; two of one architecture have the same ``notation``.

    ``edges`` and ``features`` are for readers that know no format.
    """
    names = None if arch is None else walk.names(space, arch)
    return {
        "family": space.format.family,
        "genotype": genotype,
        "decisions": names,
        "notation": space.format.notation(space.format.canonical(genotype)),
        "arch": None if arch is None else list(arch),
        "edges": {cell: [list(edge) for edge in edges] for cell, edges in space.format.edges(genotype).items()},
        "features": dict(space.format.features(genotype)),
    }
