"""Which classes may stand at which place of a run's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nasctl.config.settings import conf_dir
from nasctl.config.targets import TARGET, Known, known
from nasctl.errors import RequestError
from tests.small import Problem

CLASSIFIER, DARTS = "nasctl.trainer.classifier.Classifier", "nasctl.space.darts.Darts"
DIGITS = "nasctl.dataset.digits.Digits"
RUN = Path("run")


def conf() -> Known:
    return known((conf_dir(),))


@pytest.mark.parametrize("file", [f for f in conf_dir().glob("*/*.yaml") if TARGET in f.read_text()], ids=str)
def test_a_class_may_stand_where_a_yaml_has_it(file: Path) -> None:
    name = yaml.safe_load(file.read_text())[TARGET]
    conf().check({TARGET: name, "x": 1}, file.parent.name, RUN)
    assert file.parent.name != "estimator" or name in conf().may_stand("against")


@pytest.mark.parametrize("estimator", ["supernet", "from_scratch", "table", "stacked"])
def test_composed_configurations_pass(estimator: str) -> None:
    config = Problem(estimator=estimator).config
    for group in ("space", "strategy", "estimator", "dataset", "trainer", "reward", "constraint"):
        conf().check(config[group], group, RUN)


@pytest.mark.parametrize(
    "place, node",
    [
        *(
            ("dataset", {TARGET: name, "path": "x"})
            for name in (
                "shutil.rmtree",
                "os.system",
                "builtins.exec",
                "nasctl.files.write_whole",
                "nasctl.dataset._download.fetch",
                "nasctl.cli.main.run",
                "evil.Evil",
                DARTS,
                CLASSIFIER,
                "nasctl.dataset.digits.Path",
                "",
                ".",
            )
        ),
        ("dataset", {TARGET: 5}),
        ("dataset", {TARGET: ["shutil.rmtree"]}),
        ("dataset", {"x": 1}),
        ("dataset", "shutil.rmtree"),
        ("dataset", None),
        ("dataset", {TARGET: DIGITS, "_partial_": True}),
        ("dataset", {TARGET: DIGITS, "_args_": ["x"]}),
        ("dataset", {TARGET: DIGITS, "augment": {"_recursive_": False}}),
        ("dataset", {TARGET: DIGITS, "augment": {TARGET: DIGITS}}),
        ("dataset", {TARGET: DIGITS, "mean": [{TARGET: "os.system"}]}),
        ("estimator", {TARGET: "nasctl.estimator.from_scratch.FromScratch", "trainer": {TARGET: DIGITS}}),
        ("estimator", {TARGET: "nasctl.estimator.from_scratch.FromScratch", "other": {TARGET: CLASSIFIER}}),
        ("space", {TARGET: CLASSIFIER}),
        ("nowhere", {TARGET: DARTS}),
    ],
)
def test_what_no_yaml_names_at_a_place_is_refused(place: str, node: object) -> None:
    with pytest.raises(RequestError, match=f"run: {place}"):
        conf().check(node, place, RUN)


def test_the_recipe_of_an_estimator_may_be_any_trainer() -> None:
    node = {TARGET: "nasctl.estimator.from_scratch.FromScratch", "trainer": {TARGET: CLASSIFIER}}
    for place in ("estimator", "against"):
        conf().check(node, place, RUN)


def write(folder: Path, **files: str) -> Known:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Known((conf_dir(), folder))


def test_a_folder_of_ones_own_names_classes_too(tmp_path: Path) -> None:
    own = write(
        tmp_path,
        space__own="_target_: mine.Space\nparts: {_target_: mine.Part}\n",
        strategy__policy__net="_target_: mine.Policy\n",
        experiment__x="# @package _global_\nreward: {_target_: mine.Reward}\n",
        trainer__mine="defaults:\n  - /space@inner: darts\n  - _self_\n_target_: mine.Trainer\n",
        space__broken="a: [",
        space__list="[1]",
    )
    for place, name in {
        "space": "mine.Space",
        "space.parts": "mine.Part",
        "strategy.policy": "mine.Policy",
        "reward": "mine.Reward",
        "trainer.inner": "mine.Space",
        "trainer.inner.parts": "mine.Part",
        "estimator.trainer": "mine.Trainer",
    }.items():
        assert name in own.may_stand(place), place
        assert name not in conf().may_stand(place)
    assert "mine.Part" not in own.may_stand("space") | own.may_stand("trainer")


def test_places_that_refer_to_each_other_end(tmp_path: Path) -> None:
    own = write(tmp_path, space__a="x: ${space.y}\ny: ${space.x}\nz: ${space.z.z}\n")
    assert own.may_stand("space.x") == own.may_stand("space.z.z.z") == set()


def test_addresses_are_those_of_today_or_of_a_yaml() -> None:
    node = {TARGET: "x", "folder": "wikitext-2", "cache": None, "download": True, "bptt": 3}
    given = {"dataset.download": False}
    assert conf().at_home(node, "dataset", given, RUN) == node | {"download": False}
    assert conf().at_home(node, "dataset", given | {"dataset.folder": "mine"}, RUN)["folder"] == "mine"
    for key, value in {"folder": "../x", "cache": "/victim", "file": "/etc/passwd", "download": True}.items():
        with pytest.raises(RequestError, match=rf"run: dataset\.{key} is .*; give dataset\.{key} yourself"):
            conf().at_home(node | {key: value}, "dataset", {} if key == "download" else given, RUN)
