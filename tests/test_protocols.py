"""Each class that a YAML of conf/ names meets the protocol of its group: tests/protocols.py, which mypy checks."""

import importlib
from pathlib import Path

import yaml

from nasctl import core
from nasctl.config.settings import conf_dir

FILE = Path(__file__).with_name("protocols.py")
PROTOCOLS = {
    "space": "nasctl.core.SearchSpace",
    "strategy": "nasctl.core.Strategy",
    "strategy/crossover": "nasctl.strategy.crossover.Crossover",
    "strategy/feasibility": "nasctl.strategy.feasibility.Feasibility",
    "strategy/final_selection": "nasctl.strategy.final_selection.FinalSelection",
    "strategy/mutation": "nasctl.strategy.mutation.Mutation",
    "strategy/parent_selection": "nasctl.strategy.parent_selection.ParentSelection",
    "strategy/pick": "nasctl.strategy.pick.Pick",
    "strategy/policy": "nasctl.strategy.policy.Policy",
    "strategy/survival": "nasctl.strategy.survival.Survival",
    "strategy/update": "nasctl.strategy.update.Update",
    "strategy/update/baseline": "nasctl.strategy.update.baseline.Baseline",
    "strategy/update/shaping": "nasctl.strategy.update.shaping.Shaping",
    "estimator": "nasctl.core.Estimator",
    "executor": "nasctl.core.Executor",
    "estimator/sampler": "nasctl.estimator.sampler._paths.PathSampler",
    "estimator/score": "nasctl.estimator.score._untrained.Score",
    "estimator/unroll": "nasctl.estimator.unroll._bilevel.Unroll",
    "dataset": "nasctl.core.TestedDataset",
    "trainer": "nasctl.core.Trainer",
    "trainer/schedule": "nasctl.trainer._schedule.Schedule",
    "reward": "nasctl.core.Reward",
    "constraint": "nasctl.core.Constraint",
    "resource": "nasctl.core.Resource",
}
"""By group, and by nested group."""
OF_CLASS = {
    "nasctl.strategy.update.vectorized_reinforce.VectorizedReinforce": "nasctl.strategy.update.VectorizedUpdate",
}
"""By class, where it is not that of its group."""
WIDTH = 120  # characters of a line
ABILITIES = ("WeightSharing", "LookUp", "Covering", "KeepsChildren", "TrainsEach")
"""What only some estimators can do: a class that has the members meets the protocol."""
HEAD = '''"""Claims for mypy that the classes of conf/ meet their protocols: ``python -m tests.test_protocols``."""

from __future__ import annotations

'''


def targets() -> dict[str, list[str]]:
    """Return the classes that the YAMLs of each group name."""
    found = {}
    for group in PROTOCOLS:
        files = sorted(conf_dir().joinpath(group).glob("*.yaml"))
        nodes = [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files]
        found[group] = sorted({node["_target_"] for node in nodes if "_target_" in node})
    return found


def target(name: str) -> type:
    """Return the class of a dotted name."""
    module, _, kind = name.rpartition(".")
    found: type = getattr(importlib.import_module(module), kind)
    return found


def _has(kind: type, ability: str) -> bool:
    """Return whether a class has the methods of a protocol."""
    methods = [name for name, member in vars(getattr(core, ability)).items() if name[0] != "_" and callable(member)]
    return all(any(name in vars(part) for part in kind.__mro__) for name in methods)


def _imported(home: str, names: list[str]) -> str:
    """Return an import in lines of at most `WIDTH` characters."""
    line = f"from {home} import {', '.join(names)}"
    return (
        line if len(line) <= WIDTH else "\n".join([f"from {home} import (", *(f"    {name}," for name in names), ")"])
    )


def claims() -> str:
    """Return the content of tests/protocols.py."""
    known = targets()
    modules = sorted({name.rpartition(".")[0] for names in known.values() for name in names})
    lines = [f"import {module}" for module in modules]
    protocols = [*PROTOCOLS.values(), *OF_CLASS.values()]
    for home in sorted({name.rpartition(".")[0] for name in protocols}):
        classes = {name.rpartition(".")[2] for name in protocols if name.rpartition(".")[0] == home}
        lines += [_imported(home, sorted(classes | (set(ABILITIES) if home == core.__name__ else set())))]
    for group, names in known.items():
        first = group.replace("/", "_")
        claimed = [(OF_CLASS.get(name, PROTOCOLS[group]).rpartition(".")[2], first, name) for name in names]
        if group == "estimator":
            claimed += [(a, a.lower(), name) for a in ABILITIES for name in names if _has(target(name), a)]
        for meets, first, name in claimed:
            claim = f"{first}_{name.rpartition('.')[2].lower()}"
            line = f"def {claim}(made: {name}) -> {meets}:"
            wrapped = [f"def {claim}(", f"    made: {name},", f") -> {meets}:"]
            lines += ["", "", *([line] if len(line) <= WIDTH else wrapped), "    return made"]
    return HEAD + "\n".join(lines) + "\n"


def test_the_claims_are_of_todays_configuration() -> None:
    assert FILE.read_text(encoding="utf-8") == claims(), "give: python -m tests.test_protocols"


if __name__ == "__main__":
    FILE.write_text(claims(), encoding="utf-8")
