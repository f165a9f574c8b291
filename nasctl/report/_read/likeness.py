"""Likeness: which runs make one row, and which rows may be compared.

A run has fields, by name: what is signed (settings that touch results), the genotype's content, the fingerprint of
the data, the limits, the work that was given, and the type of the device. A field that a run does not record is
unknown. Runs make one row if no field tells them apart. An unknown field tells nothing apart: such a run joins the
runs that know it where these agree, and makes a row of its own where they do not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nasctl.report._read.record import Json, Run, content
from nasctl.runs.reader import DamagedError

Fields = Mapping[str, Any]
"""What is known of a run, or of all runs of a row, by the name of the field; values are texts or numbers."""

EQUAL_WORK = 0.01  # share by which two equal works may differ
WORK = "given work"
DIGITS = 6  # of a hash that is shown
GENOTYPE = "genotype"
NOT_SIGNED = ("download", "workers", "root", "cache")
"""Settings of a group that do not touch results."""
SPEED = ("channels_last", "compile", "cuda_graph")
"""Settings of a trainer that change speed and rounding alone; they are named beside a row."""
_SIGNED = {
    "retrain": ("space", "dataset", "trainer", "constraint"),
    "select": ("space", "dataset", "trainer", "reward", "constraint"),
    "search": ("space", "strategy", "estimator", "dataset", "reward", "constraint"),
}
TRAINING = ("measure", "recipe", "data", "dataset", "trainer", "device type")
"""Fields that two methods must share for their test errors to be compared, and all that begin with these words."""
SPACE = ("space",)
_FORMS = ("space.search", "space.final")  # sizes of networks, which the recipe holds
LIMITS = ("limits", "search limits")

LARGEST_WHOLE = 1e15  # of numbers with a point that are written without one


def groups(runs: Iterable[Run]) -> list[tuple[Run, ...]]:
    """Return the runs of each row, in an order that does not depend on the order of ``runs``."""
    return _partition(runs, lambda name: True)


def groups_by(runs: Iterable[Run], *words: str) -> list[tuple[Run, ...]]:
    """Return the runs that no field of the kinds ``words`` tells apart."""
    return _partition(runs, lambda name: of_kind(name, *words))


def tasks(runs: Iterable[Run]) -> list[tuple[Run, ...]]:
    """Return the runs that were tested on the same examples, with networks of one space, however they were trained."""
    return _partition(runs, _is_of_task)


def _is_of_task(name: str) -> bool:
    if of_kind(name, *_FORMS):
        return False
    tested = name.startswith("dataset.") and "test" in name
    return tested or name == "dataset" or of_kind(name, "measure", "data", "space", "device type")


def _partition(runs: Iterable[Run], wanted: Callable[[str], bool]) -> list[tuple[Run, ...]]:
    of_path: dict[Path, list[Run]] = {}  # the replicas of a repeated search have one path and equal fields
    for run in sorted(runs, key=lambda run: str(run.path)):
        of_path.setdefault(run.path, []).append(run)
    firsts = [found[0] for found in of_path.values()]
    known = _contents(firsts)
    parts = [[(run, {**fields(run), **known.get(id(run), {})}) for run in firsts]]
    for name in filter(wanted, dict.fromkeys(name for run, found in parts[0] for name in found)):
        parts = [part for whole in parts for part in _split(whole, name)]
    return [tuple(each for run, _ in part for each in of_path[run.path]) for part in parts if part]


def distinct_paths(runs: Iterable[Run]) -> list[Run]:
    """Return one run of each directory, of a repeated search one replica."""
    return list({run.path: run for run in runs}.values())


def shared(runs: Iterable[Run]) -> dict[str, Any]:
    """Return the fields of a row: the value that its runs record, of work the mean."""
    found: dict[str, list[Any]] = {}
    for run in distinct_paths(runs):
        for name, value in fields(run).items():
            found.setdefault(name, []).append(value)
    return {name: sum(each) / len(each) if name == WORK else each[0] for name, each in found.items()}


def agree(a: Fields, b: Fields, *words: str) -> bool:
    """Return whether no field of the kinds ``words`` is known of both and differs."""
    return not differing(a, b, *words)


def differing(a: Fields, b: Fields, *words: str) -> list[str]:
    """Return the names of the fields, of the kinds ``words`` or of all, that are known of both and differ."""
    return [name for name in a if name in b and a[name] != b[name] and (not words or of_kind(name, *words))]


def of_kind(name: str, *words: str) -> bool:
    """Return whether a field is one of ``words`` or of the kind that begins with it, as in ``dataset.limit_train``."""
    return any(name == word or name.startswith((f"{word} ", f"{word}.")) for word in words)


def equal_work(a: float, b: float) -> bool:
    """Return whether two works differ by no more than `EQUAL_WORK` of the smaller one."""
    return max(a, b) <= (1 + EQUAL_WORK) * min(a, b)


def comparable(a: Fields, b: Fields) -> bool:
    """Return whether two methods may be compared: tested on the same data, in one space, under the same limits."""
    return agree(a, b, *TRAINING) and same_space(a, b) and limit_of(a) == limit_of(b)


def same_space(a: Fields, b: Fields) -> bool:
    """Return whether two methods searched one space, by its settings: a network's final size is of the recipe."""
    ours, theirs = _searched_space(a), _searched_space(b)
    return all(theirs.get(name, value) == value for name, value in ours.items())


def limit_of(known: Fields) -> str:
    """Return the limits that a method searched under as text; empty without one, or where none is recorded."""
    return str(known.get("search limits", known.get("limits", "")))


def data_digits(known: Fields) -> str | None:
    """Return the start of each fingerprint of the data, enough to tell two apart; None where none is recorded."""
    found = [str(value)[:DIGITS] for name, value in known.items() if name.startswith("data ")]
    return " ".join(found) or None


def _searched_space(known: Fields) -> dict[str, Any]:
    """Return the settings of the space that was searched, those of its two forms left out."""
    own = {name: value for name, value in known.items() if of_kind(name, *SPACE)}
    searched = {
        name.removeprefix("search "): value for name, value in known.items() if name.startswith("search space.")
    }
    return {name: value for name, value in (own | searched).items() if not of_kind(name, *_FORMS)}


def fields(run: Run) -> dict[str, Any]:
    """Return the fields of a run that are recorded; rows are split by them."""
    named = {
        "verb": "retrain" if run.verb == "retrain" else "search",
        "origin": _origin(run),
        GENOTYPE: genotype(run) if _described_by_content(run) else None,
        "estimate": run.result.get("error_kind"),
        "measure": run.measure if run.result else None,
        "recipe": run.result.get("recipe"),
        "space": _space(run),
        "dataset": run.choices.get("dataset"),
        "limits": limits(run.config.get("constraint")),
        "search limits": limits(run.source.get("constraint")),
        WORK: given_work(run),
        "device type": (run.result.get("device") or run.environment.get("device") or {}).get("type"),
        "search device type": (run.source.get("device") or {}).get("type"),
        **{f"data {name}": value for name, value in data(run.environment.get("data")).items()},
        **{f"search data {name}": value for name, value in data(run.source.get("data")).items()},
        **_settings(run),
    }
    return {name: value for name, value in named.items() if value is not None}


def genotype(run: Run) -> str | None:
    """Return a hash of the genotype's content, whatever its file is called; None where there is none to be read."""
    try:
        record = content(run, "architecture.json", {})
    except DamagedError:
        return None
    known = {name: record[name] for name in ("family", "genotype") if name in record}
    return canonical_hash(known) if len(known) == 2 else None


def data(facts: Any) -> dict[str, str]:
    """Return the fingerprints of the data without those of a split, which follow from settings and seed."""
    known = facts if isinstance(facts, Mapping) else {}
    return {name: str(value) for name, value in known.items() if name != "published" and not name.endswith("indices")}


def limits(node: Any) -> str | None:
    """Return the limits of a constraint's settings as text, empty without one; None where they are unknown."""
    if not isinstance(node, Mapping):
        return None
    found = node.get("limits") or ({node["resource"]: node["limit"]} if {"resource", "limit"} <= node.keys() else {})
    if not isinstance(found, Mapping):
        return None
    return ", ".join(f"{name} {_number(found[name])}" for name in sorted(found))


def given_work(run: Run) -> float | None:
    """Return the multiply-accumulates that ended a search; None where it had no budget of work."""
    budget = (run.source if run.verb == "retrain" else run.result).get("budget")
    work = budget.get("work") if isinstance(budget, Mapping) else None
    return float(work) if isinstance(work, int | float) and work > 0 else None


def leaves(node: Json, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each setting of a group that touches results, nested ones by their whole name."""
    for key, value in node.items():
        if key in NOT_SIGNED or key in SPEED:
            continue
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(value)


def _split(part: list[tuple[Run, dict[str, Any]]], name: str) -> list[list[tuple[Run, dict[str, Any]]]]:
    """Return the parts of ``part`` that agree in a field; runs that lack it join a single part that knows it."""
    known: dict[Any, list[tuple[Run, dict[str, Any]]]] = {}
    label = _clusters(part) if name == WORK else lambda value: value
    for run, found in part:
        if name in found:
            known.setdefault(label(found[name]), []).append((run, found))
    if len(known) < 2:
        return [part]
    unknown = [(run, found) for run, found in part if name not in found]
    return [*(known[value] for value in sorted(known, key=str)), *([unknown] if unknown else [])]


def _clusters(part: list[tuple[Run, dict[str, Any]]]) -> Callable[[float], float]:
    """Return a function from a work to the smallest work of its cluster; all works of a cluster equal its smallest."""
    firsts: list[float] = []
    for work in sorted(found[WORK] for _, found in part if WORK in found):
        if not firsts or not equal_work(firsts[-1], work):
            firsts.append(work)
    return lambda work: max(first for first in firsts if first <= work)


def _described_by_content(run: Run) -> bool:
    return run.verb == "retrain" and run.method is None


def _origin(run: Run) -> str | None:
    """Return the signature of the search method, or ``no search``; None where it is not recorded."""
    if run.verb == "retrain":
        return run.method or "no search"
    signed = run.method or run.config.get("signature")
    return None if signed is None else str(signed)


def _contents(runs: Sequence[Run]) -> dict[int, dict[str, str]]:
    """Return the genotype's hash, by run, for runs without one: that of runs of the same source name, else the name."""
    by_name: dict[str, set[str]] = {}
    bare = [run for run in runs if _described_by_content(run)]
    for run in bare:
        if (known := genotype(run)) is not None:
            by_name.setdefault(str(run.source.get("name")), set()).add(known)
    without = [run for run in bare if genotype(run) is None]
    found = {id(run): by_name.get(name := str(run.source.get("name")), {f"named {name}"}) for run in without}
    return {key: {GENOTYPE: next(iter(known))} for key, known in found.items() if len(known) == 1} | {
        key: {GENOTYPE: "unknown"} for key, known in found.items() if len(known) > 1
    }


def canonical_hash(content: Any) -> str:
    """Return a hash of data as JSON, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _space(run: Run) -> str | None:
    chosen = run.choices.get("space")
    return None if chosen is None else str(chosen)


def _settings(run: Run) -> dict[str, Any]:
    """Return the settings that are signed, by their names; of a search also those of the space it searched."""
    found: dict[str, Any] = {}
    for group in _SIGNED.get(run.verb, ()):
        node = run.config.get(group)
        found |= dict(leaves(node, f"{group}.")) if isinstance(node, Mapping) else {}
    searched = run.source.get("space_settings")
    return found | (dict(leaves(searched, "search space.")) if isinstance(searched, Mapping) else {})


def _text(value: Any) -> str:
    """Return a setting as text, so that 3000 and 3000.0 are one and 1 and true are two."""
    return _number(value) if isinstance(value, int | float) else json.dumps(value, sort_keys=True, default=str)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json.dumps(value)
    whole = isinstance(value, int) or (value.is_integer() and abs(value) < LARGEST_WHOLE)
    return f"{int(value):,}" if whole else repr(value)
