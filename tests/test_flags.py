"""Flags may stand anywhere on a command line; what is no flag is refused in one sentence."""

from __future__ import annotations

import random

import pytest

from nasctl.cli import main as cli
from nasctl.command_line.flags import NAMES, SHORT, config_dirs, read
from nasctl.config import compose as config
from nasctl.config.settings import conf_dir
from nasctl.errors import RequestError

SETTINGS = ["space=darts", "strategy=darts", "dataset=digits", "seed=0,1"]
FLAGS = [["-m"], ["--config-dir", "conf"], ["--cfg=job"], ["-cd=a b"], ["--info", "plugins"], ["-p", "space"]]


@pytest.mark.parametrize("seed", range(20))
def test_flags_stand_anywhere(seed: int) -> None:
    draw = random.Random(seed)
    flags = draw.sample(FLAGS, draw.randint(1, len(FLAGS)))
    blocks = flags + [[setting] for setting in SETTINGS]
    draw.shuffle(blocks)
    line = read([word for block in blocks for word in block])
    assert sorted(line.settings) == sorted(SETTINGS)
    first = read([word for flag in flags for word in flag])
    assert sorted(line.flags) == sorted(first.flags) and line.sweep == (["-m"] in flags)
    assert [setting for setting in line.settings] == [block[0] for block in blocks if block[0] in SETTINGS]


def test_the_values_of_flags_are_no_settings() -> None:
    line = read(["seed=1", "-cd", "a=b", "--cfg", "job", "space=toy", "--config-dir=x=y"])
    assert line.settings == ("seed=1", "space=toy")
    assert line.values("--config-dir") == ["a=b", "x=y"] and line.values("--cfg") == ["job"]
    assert read(line.words()).flags == line.flags


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--mulitrun"], "flag: unknown '--mulitrun'; did you mean '--multirun'?"),
        (["-x"], "flag: unknown '-x'"),
        (["--experimental-rerun=job.pickle"], "flag: unknown '--experimental-rerun'"),
        (["--config-path", "/tmp"], "flag: unknown '--config-path'; did you mean"),
        (["--cfg"], "--cfg: unknown ''; choose from job, hydra, all"),
        (["--cfg", "jobs"], "--cfg: unknown 'jobs'; did you mean 'job'?"),
        (["seed=1", "--config-dir"], "--config-dir: a value is required"),
        (["--multirun=yes"], "--multirun=yes: --multirun takes no value"),
    ],
)
def test_what_is_no_flag_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(RequestError) as error:
        read(words)
    assert said in str(error.value)


@pytest.mark.parametrize("verb", ["search", "select", "correlate", "retrain", "inspect"])
def test_every_verb_refuses_an_unknown_flag(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "space=darts", "--nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_names_are_hydras() -> None:
    """Each is passed on, so that Hydra must know it."""
    from hydra._internal.utils import get_args_parser

    known = {name for action in get_args_parser()._actions for name in action.option_strings}
    assert {*NAMES, *SHORT} - {"-h", "--help"} <= known


def test_config_dirs_come_back_from_any_command_line() -> None:
    words = ["--durations=3", "-cd", "a b", "from=x", "--config-dir=c", "-m"]
    assert config_dirs(words) == ["--config-dir", "a b", "--config-dir", "c"]


def test_a_sweep_shows_the_settings_of_each_job(tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["search", "seed=3,4", "-m", "+experiment=darts_digits", "--cfg", "job"]) == 0
    out = capsys.readouterr().out
    assert "seed: 3\n" in out and "seed: 4\n" in out and out.count("label: DARTS") == 2
    assert list(tmp_path.iterdir()) == []
    assert cli.run(["search", "seed=3,4", "-m", "+experiment=darts_digits", "--cfg", "all"]) == 2
    assert "-m shows the settings of each job" in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings",
    [
        ["+experiment=darts_digits", "seed=1"],
        ["+experiment=darts_digits", "estimator=from_scratch", "++estimator.size={channels: 8}", "budget.epochs=3"],
        ["space=ffn", "space.widths=[1,2]", "dataset=breast_cancer", "trainer=ffn", "trainer.lr=0.5", "+trainer.x=1"],
        ["+experiment=absolute_toy", "reward.beta=-1.5", "curve=[1,2]", "label='a, b'"],
        ["+experiment/tabnas_table1=absolute_1", "strategy.update.lr=0.1", "constraint.limit=58906980", "paths.data=x"],
        ["estimator@against=nasbench201_table", "against.split=val", "correlation={n: 5}", "space=nasbench201"],
    ],
)
def test_a_sweep_composes_as_hydra_does(settings: list[str]) -> None:
    """Jobs that differ in values alone are composed once, and the values set."""
    from hydra import compose, initialize_config_dir

    line = read(["-m", *settings])
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        ours, theirs = config._composed(line, settings), compose("config", settings, return_hydra_config=True)
    assert ours.hydra.runtime.choices == theirs.hydra.runtime.choices
    assert ours.hydra.overrides.task == theirs.hydra.overrides.task == settings
    assert {key: ours[key] for key in ours if key != "hydra"} == {key: theirs[key] for key in theirs if key != "hydra"}
