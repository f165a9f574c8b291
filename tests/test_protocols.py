"""Each class that a YAML of conf/ names meets the protocol of its group: tests/protocols.py, which mypy checks."""

from pathlib import Path

import yaml

from nasctl.config.settings import conf_dir

FILE = Path(__file__).with_name("protocols.py")
PROTOCOLS = {
    "space": "nasctl.core.SearchSpace",
    "strategy": "nasctl.core.Strategy",
    "estimator": "nasctl.core.Estimator",
    "dataset": "nasctl.core.Dataset",
    "trainer": "nasctl.core.Trainer",
    "trainer/schedule": "nasctl.trainer._schedule.Schedule",
    "reward": "nasctl.core.Reward",
    "constraint": "nasctl.core.Constraint",
}
"""By group, and by nested group."""
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
    for home in sorted({name.rpartition(".")[0] for name in PROTOCOLS.values()}):
        classes = [name.rpartition(".")[2] for name in PROTOCOLS.values() if name.rpartition(".")[0] == home]
        lines += [f"from {home} import {', '.join(sorted(classes))}"]
    for group, names in known.items():
        for name in names:
            claim = f"{group.replace('/', '_')}_{name.rpartition('.')[2].lower()}"
            protocol = PROTOCOLS[group].rpartition(".")[2]
            lines += ["", "", f"def {claim}(made: {name}) -> {protocol}:", "    return made"]
    return HEAD + "\n".join(lines) + "\n"


def test_the_claims_are_of_todays_configuration() -> None:
    assert FILE.read_text(encoding="utf-8") == claims(), "give: python -m tests.test_protocols"


if __name__ == "__main__":
    FILE.write_text(claims(), encoding="utf-8")
