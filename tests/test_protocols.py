"""Each class that a YAML of conf/ names meets the protocol of its group: tests/protocols.py, which mypy checks."""

from pathlib import Path

import yaml

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
    "estimator/sampler": "nasctl.estimator.sampler._paths.PathSampler",
    "estimator/score": "nasctl.estimator.score._untrained.Score",
    "estimator/unroll": "nasctl.estimator.unroll._bilevel.Unroll",
    "dataset": "nasctl.core.Dataset",
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


def claims() -> str:
    """Return the content of tests/protocols.py."""
    known = targets()
    modules = sorted({name.rpartition(".")[0] for names in known.values() for name in names})
    lines = [f"import {module}" for module in modules]
    protocols = [*PROTOCOLS.values(), *OF_CLASS.values()]
    for home in sorted({name.rpartition(".")[0] for name in protocols}):
        classes = [name.rpartition(".")[2] for name in protocols if name.rpartition(".")[0] == home]
        lines += [f"from {home} import {', '.join(sorted(classes))}"]
    for group, names in known.items():
        for name in names:
            claim = f"{group.rpartition('/')[2]}_{name.rpartition('.')[2].lower()}"
            protocol = OF_CLASS.get(name, PROTOCOLS[group]).rpartition(".")[2]
            line = f"def {claim}(made: {name}) -> {protocol}:"
            wrapped = [f"def {claim}(", f"    made: {name},", f") -> {protocol}:"]
            lines += ["", "", *([line] if len(line) <= WIDTH else wrapped), "    return made"]
    return HEAD + "\n".join(lines) + "\n"


def test_the_claims_are_of_todays_configuration() -> None:
    assert FILE.read_text(encoding="utf-8") == claims(), "give: python -m tests.test_protocols"


if __name__ == "__main__":
    FILE.write_text(claims(), encoding="utf-8")
