"""Every setting of version 0.1.0 is one today, or the table of renamed settings translates it and answers it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from nasctl.cli import main as cli
from nasctl.config import build, settings
from nasctl.runs import translation
from nasctl.runs.added import completed
from nasctl.runs.renamed import Choice, Class, Gone, Group, Part, Setting

CONF = Path(__file__).resolve().parents[2] / "conf"
OLD = json.loads((Path(__file__).parent / "settings_of_0_1_0.json").read_text())
"""The composed choices of conf/ at commit 21c1907, its root, and the names of its experiments and debug presets."""
CHOICES = [(group, name) for group, nodes in OLD["choices"].items() for name in nodes]


def paths(node: Any, prefix: str = "") -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else ():
        yield prefix + key
        yield from paths(value, f"{prefix}{key}.")


def has(node: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(node, Mapping) or name not in node:
            return False
        node = node[name]
    return True


def misfits(node: Mapping[str, Any], place: str) -> list[str]:
    """Return what a class would refuse by name: unknown settings, and those that are missing."""
    names = set(build._keyword_only(build.target(node)))
    found = [f"{place}.{name}" for name in names ^ (node.keys() - {"_target_"})]
    nested = {key: value for key, value in node.items() if isinstance(value, dict) and "_target_" in value}
    return found + [fault for key, value in nested.items() for fault in misfits(value, f"{place}.{key}")]


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_the_node_of_each_choice_is_taken_by_a_class_of_today(group: str, name: str) -> None:
    old = OLD["choices"][group][name]
    new = translation.of_config({group: old})[group]
    if "_target_" in new:
        assert misfits(completed(new), group) == []


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_each_setting_is_there_or_answered(group: str, name: str) -> None:
    old = OLD["choices"][group][name]
    new = translation.of_config({group: old})[group]
    lost = [path for path in paths(old) if not has(new, path)]
    assert [path for path in lost if not translation.answer(f"{group}.{path}")] == []


def test_each_setting_of_the_root_is_there_or_answered() -> None:
    today = yaml.safe_load((CONF / "config.yaml").read_text())
    lost = [path for path in paths(OLD["root"]) if not has(today, path) and path != "against"]
    assert [path for path in lost if not translation.answer(path)] == []


@pytest.mark.parametrize("group", [*OLD["choices"], *OLD["others"]])
def test_each_choice_is_there_or_answered(group: str) -> None:
    names = OLD["choices"].get(group) or OLD["others"][group]
    lost = [name for name in names if not (CONF / group / f"{name}.yaml").is_file()]
    assert [name for name in lost if not translation.answer_choice(group, name)] == []


@pytest.mark.parametrize("file", sorted(CONF.glob("*/*.yaml")), ids=lambda file: f"{file.parent.name}={file.stem}")
def test_what_is_written_today_is_left_alone(file: Path) -> None:
    node = yaml.safe_load(file.read_text()) or {}
    today = {file.parent.name: node} if file.parent.name in settings.GROUPS else node
    assert translation.of_config(today) == today


TABLE = (
    Choice("debug", "rows", "smoke"),
    Choice("strategy", "old", "young"),
    Class("nasctl.strategy.old.Old", "nasctl.strategy.young.Young"),
    Group("ranking", "correlation"),
    Part("estimator.sampler", "estimator/sampler", {"fair": "nasctl.estimator.sampler.fair.Fair"}),
    Setting("estimator.fair", "estimator.sampler", when={"sampler": ("fair",)}),
    Setting("trainer.slowness", "trainer.tar_beta"),
    Setting("strategy.lr", "strategy.update.lr", of="nasctl.strategy.old.Old"),
    Setting("strategy.norms", "strategy.norms.statistics"),
    Setting("strategy.minutes", "strategy.seconds", value=lambda minutes: 60 * minutes),
    Setting("strategy.patience", "trainer.patience"),
    Gone("dataset.spin", "leave it out"),
)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "RENAMED", TABLE)


RUN = {
    "choices": {"strategy": "old", "estimator": "supernet"},
    "ranking": {"n": 3},
    "strategy": {"_target_": "nasctl.strategy.old.Old", "lr": 0.1, "minutes": 2, "norms": "batch", "patience": 4},
    "estimator": {
        "_target_": "nasctl.estimator.supernet.Supernet",
        "sampler": "fair",
        "fair": {"weight": 0.5},
        "trainer": {"_target_": "nasctl.trainer.plain.Plain", "slowness": 1.0},
    },
    "trainer": {"_target_": "nasctl.trainer.plain.Plain", "slowness": 1.0},
    "dataset": {"_target_": "nasctl.dataset.digits.Digits", "spin": 3},
}
TODAY = {
    "choices": {"strategy": "young", "estimator": "supernet"},
    "correlation": {"n": 3},
    "strategy": {
        "_target_": "nasctl.strategy.young.Young",
        "update": {"lr": 0.1},
        "seconds": 120,
        "norms": {"statistics": "batch"},
    },
    "estimator": {
        "_target_": "nasctl.estimator.supernet.Supernet",
        "sampler": {"_target_": "nasctl.estimator.sampler.fair.Fair", "weight": 0.5},
        "trainer": {"_target_": "nasctl.trainer.plain.Plain", "tar_beta": 1.0},
    },
    "trainer": {"_target_": "nasctl.trainer.plain.Plain", "tar_beta": 1.0, "patience": 4},
    "dataset": {"_target_": "nasctl.dataset.digits.Digits"},
}


def test_the_settings_of_a_run_are_translated_once(table: None) -> None:
    assert translation.of_config(RUN) == TODAY
    assert translation.of_config(TODAY) == TODAY


def test_the_settings_of_a_choice_that_was_not_taken_are_dropped(table: None) -> None:
    run = {"estimator": {"_target_": "nasctl.estimator.x.X", "sampler": "strategy", "fair": {"weight": 1}}}
    assert translation.of_config(run) == {"estimator": {"_target_": "nasctl.estimator.x.X", "sampler": None}}


@pytest.mark.parametrize(
    ("line", "today"),
    [
        ("+debug=rows", "+debug=smoke"),
        ("+debug=[smoke, rows]", "+debug=[smoke]"),
        ("strategy=old", "strategy=young"),
        ("trainer.slowness=0.5", "trainer.tar_beta=0.5"),
        ("++estimator.trainer.slowness=0.5", "++estimator.trainer.tar_beta=0.5"),
        ("strategy.lr=0.5", "strategy.update.lr=0.5"),
        ("strategy.minutes=0.5", "strategy.seconds=30.0"),
        ("estimator.sampler=fair", "estimator/sampler=fair"),
        ("estimator.fair.weight=1", "estimator.sampler.weight=1"),
        ("strategy.norms=moving", "strategy.norms.statistics=moving"),
        ("strategy.norms.statistics=moving", "strategy.norms.statistics=moving"),
        ("ranking.n=5", "correlation.n=5"),
        ("dataset.spin=5", None),
        ("seed=1", "seed=1"),
    ],
)
def test_the_lines_of_a_run_are_translated(table: None, line: str, today: str | None) -> None:
    assert translation.of_overrides([line], RUN) == [today] * (today is not None)


def test_a_line_of_another_class_is_left_alone(table: None) -> None:
    other = {"strategy": {"_target_": "nasctl.strategy.other.Other", "lr": 0.1}}
    assert translation.of_overrides(["strategy.lr=0.5"], other) == ["strategy.lr=0.5"]
    assert translation.of_config(other) == other


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("trainer.slowness", None, "trainer.slowness: is now trainer.tar_beta; write trainer.tar_beta=..."),
        ("estimator.trainer.slowness", "1", "estimator.trainer.tar_beta; write estimator.trainer.tar_beta=1"),
        ("strategy.minutes", "2", "write strategy.seconds=120"),
        ("estimator.sampler", "fair", "is now a choice, estimator/sampler; write estimator/sampler=fair"),
        ("against.sampler", "fair", "write estimator/sampler@against.sampler=fair"),
        ("estimator.fair.weight", "1", "is now estimator.sampler.weight"),
        ("dataset.spin", "5", "dataset.spin: is no more; leave it out"),
    ],
)
def test_an_old_name_is_answered_with_the_new_one(table: None, setting: str, value: str | None, sentence: str) -> None:
    assert sentence in str(translation.answer(setting, value))


def test_a_setting_of_another_class_is_not_answered(table: None) -> None:
    assert translation.answer("strategy.lr", "1", "nasctl.strategy.young.Young") is not None
    assert translation.answer("strategy.lr", "1", "nasctl.strategy.other.Other") is None


def test_other_names_are_not_answered(table: None) -> None:
    assert translation.answer("trainer.slow") is None and translation.answer_choice("debug", "smoke") is None
    assert translation.answer_choice("debug", "rows") == "debug=rows: is now debug=smoke; write +debug=smoke"


TYPED = ["space=darts", "strategy=darts", "dataset=digits", "budget.epochs=1", "device=nowhere"]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("trainer.slowness=2", "trainer.slowness: is now trainer.tar_beta; write trainer.tar_beta=2"),
        ("++trainer.slowness=2", "trainer.slowness: is now trainer.tar_beta; write trainer.tar_beta=2"),
        ("+trainer.slowness=2", "trainer.slowness: is now trainer.tar_beta; write trainer.tar_beta=2"),
        ("~trainer.slowness", "trainer.slowness: is now trainer.tar_beta; write trainer.tar_beta=..."),
        ("strategy.rate=2", "strategy.rate: is now strategy.update.lr; write strategy.update.lr=2"),
        ("dataset.spin=5", "dataset.spin: is no more; leave it out"),
        ("+debug=of_old", "debug=of_old: is now debug=smoke; write +debug=smoke"),
        ("+debug=[smoke,of_old]", "debug=of_old: is now debug=smoke; write +debug=smoke"),
        ("trainer=of_old", "trainer=of_old: is now trainer=plain; write trainer=plain"),
    ],
)
def test_an_old_name_typed_today_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str, sentence: str
) -> None:
    own = Choice("debug", "of_old", "smoke"), Choice("trainer", "of_old", "plain")
    lr = Setting("strategy.rate", "strategy.update.lr", of="nasctl.strategy.tunas.Tunas")
    monkeypatch.setattr(translation, "RENAMED", (*own, lr, *TABLE[6:7], *TABLE[9:]))
    assert cli.run(["search", *TYPED, setting]) == 2
    assert capsys.readouterr().err == f"nasctl: {sentence}\n"


def test_a_name_given_to_a_part_is_answered_with_its_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", *TYPED, "estimator.sampler=fair"]) == 2
    said = "estimator.sampler=fair: estimator.sampler is a choice, one of fair, nsas, strategy, uniform"
    assert capsys.readouterr().err == f"nasctl: {said}; write estimator/sampler=fair\n"


def test_an_experiments_part_is_left_out_where_it_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["+experiment=darts_digits", "estimator=from_scratch", "device=nowhere"]
    assert cli.run(["search", *words]) == 2
    assert "estimator: unknown 'val_batches'" in capsys.readouterr().err  # composed, and then bound
    assert cli.run(["search", *words, "estimator/unroll=exact"]) == 2
    assert "estimator/unroll" in capsys.readouterr().err
