"""Damaged run directories over all verbs: no traceback, and no figure that the run did not measure."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from nasctl.cli import main as cli
from tests.mutations import mutate, unverified

ROWS = [
    "space=ffn",
    "dataset=breast_cancer",
    "trainer=ffn",
    "+debug=smoke",
    "reward.name=loss",
    "reward.maximize=false",
]
ALONE = ["estimator=from_scratch", "budget.epochs=null"]
IMAGES = ["space=nasbench201", "dataset=digits", "+debug=smoke", "space.search.cells=1", "space.final.cells=1"]
SHARED = [
    "strategy=random_search",
    "estimator=supernet",
    "estimator/sampler=uniform",
    "estimator.schedule.warmup_epochs=1",
]
RUNS = {  # each after those that it reads
    "chance": ["search", *ROWS, *ALONE, "strategy=random_search", "budget.trials=3"],
    "sweep": ["search", *ROWS, *ALONE, "strategy=enumeration", "budget.trials=8"],
    "batch": ["search", "+experiment=tabnas_toy", "repeats=3", "budget.turns=4", "curve=[1,2]", "seed=1"],
    "final": ["retrain", "from=chance"],
    "picked": ["select", "chance", "selection.epochs=1"],
    "shared": ["search", *IMAGES, *SHARED, "budget.epochs=null"],
    "held": ["correlate", "shared", "n=4", "against=from_scratch", "against.epochs=1", "correlation.resamples=10"],
}
FAST = ("chance", "sweep", "batch", "final")
TABLES = ("pareto=params", "outcomes=params", "metric=auc", "trajectory=layer1", "regret=sweep", "regret=target")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty folder for finished runs, which are made when a test first asks for them."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def folder(name: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the run ``name`` and those that its commands read."""
    monkeypatch.chdir(made)
    for each in list(RUNS) if name not in FAST else FAST:
        if not (made / each).exists():
            assert cli.run([*RUNS[each], f"run_dir={each}"]) == 0, each
        shutil.copytree(made / each, tmp_path / each)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Commands:
    """Runs commands in this process and keeps what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Return exit code and output; no command may end in an error of the program."""
        code = cli.run(list(arguments))
        out, err = self.capsys.readouterr()
        assert code in (0, 2) and "Traceback" not in out + err, (arguments, code, out, err)
        if code == 2:
            assert any(line.startswith("nasctl: ") for line in err.splitlines()) and len(err.splitlines()) <= 5, err
        return code, out


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str]) -> Commands:
    capsys.readouterr()
    return Commands(capsys)


def uses(name: str, path: str) -> list[list[str]]:
    """Return the commands of the other verbs that read the run ``name``, which lies at ``path``."""
    again = [*RUNS[name], f"run_dir={path}"]
    by_run: dict[str, list[list[str]]] = {
        "sweep": [["search", "strategy=random_search", f"budget.like={path}", *ROWS, "run_dir=like"]],
        "chance": [["retrain", f"from={path}", "run_dir=new"], ["select", path, "selection.epochs=1", "run_dir=new"]],
        "shared": [["correlate", path, *RUNS["held"][2:], "run_dir=new"], ["inspect", f"from={path}"]],
        "batch": [["inspect", f"from={path}"]],
        "final": [["inspect", f"from={path}"]],
        "picked": [["retrain", f"from={path}", "run_dir=new"]],
        "held": [],
    }
    return [*by_run[name], again]


def rows(text: str) -> list[dict[str, Any]]:
    """Return the methods of a comparison without the paths of their runs."""
    return [{k: v for k, v in row.items() if k != "runs"} for row in json.loads(text)["methods"]]


JOBS = 4  # every how many damages are given to a verb that builds networks, too: a second each
STATES = ("verified", "unverified", "killed")


def judge(name: str, seed: int, folder: Path, commands: Commands, tables: int) -> str:
    """Damage a copy of a run, give commands that read it, and return what was done."""
    draw = random.Random(f"{name}/{seed}")
    target, state = folder / "target", draw.choice(STATES if seed % JOBS == 0 else STATES[:2])
    shutil.copytree(folder / name, target)
    before = rows(commands("compare", "target", intact(name), "format=json")[1]) if state == "verified" else []
    if state != "verified":
        unverified(target, "finished" if state == "unverified" else "running")
    done = mutate(target, draw)
    try:
        shown(name, draw, before if state == "verified" else None, commands, tables)
        if seed % JOBS == 0:
            (resumed if state == "killed" else used)(name, draw, state, commands)
    except BaseException as error:
        raise AssertionError(f"{name}/{seed}, {state}: {done}: {error}") from error
    finally:
        shutil.rmtree(target)
        for made in ("new", "like"):
            shutil.rmtree(folder / made, ignore_errors=True)
    return done


def intact(name: str) -> str:
    """Return the run that stands beside the damaged run ``name`` in every table."""
    return "chance" if name == "batch" else "batch"


def shown(name: str, draw: random.Random, before: list[Any] | None, commands: Commands, tables: int) -> None:
    """Make tables; whatever the damaged run is, the other one is in them."""
    other = intact(name)
    code, out = commands("compare", "target", other, "format=json")
    if not Path("target", "status.json").exists():
        assert code == 2  # a path without a run is refused
        return
    assert code == 0
    if before is not None:  # status.json has hashes: what is shown was measured, or nothing is shown
        assert all(row in before for row in rows(out)), out
    assert any(other in run for row in json.loads(out)["methods"] for run in row["runs"])
    assert commands("ls", "runs", "target", other)[0] == 0
    for settings in draw.sample(TABLES, tables):
        commands("compare", "target", other, settings)


def used(name: str, draw: random.Random, state: str, commands: Commands) -> None:
    """Give a command that starts from the run."""
    use = draw.choice(uses(name, "target"))
    code, _ = commands(*use)
    if state == "verified" and code == 0 and use[:2] == ["retrain", "from=target"]:
        found, source = (json.loads(Path(path, "result.json").read_text()) for path in ("new", name))
        assert (found["source"]["signature"], found["params"]) == (source["signature"], source["params"])


def resumed(name: str, draw: random.Random, state: str, commands: Commands) -> None:
    """Resume the run: it is refused, or ends as it did without the damage."""
    if commands(*RUNS[name], "run_dir=target")[0] == 0:
        for file in ("architecture.json", "trials.jsonl", "history.jsonl", "replicas.jsonl", "correlation.jsonl"):
            assert Path("target", file).exists() == Path(name, file).exists()
            if Path(name, file).exists():
                assert Path("target", file).read_bytes() == Path(name, file).read_bytes(), file
        found, source = (json.loads(Path(path, "result.json").read_text()) for path in ("target", name))
        assert (found["error"], found["metrics"]) == (source["error"], source["metrics"])


@pytest.mark.parametrize("name", FAST)
def test_a_damaged_run_ends_no_command(name: str, folder: Path, commands: Commands) -> None:
    for seed in range(0, 2 * JOBS, 2):
        judge(name, seed, folder, commands, tables=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(10))
@pytest.mark.parametrize("name", list(RUNS))
def test_two_thousand_damaged_runs(name: str, part: int, folder: Path, commands: Commands) -> None:
    done = [judge(name, seed, folder, commands, tables=1) for seed in range(100 + 29 * part, 129 + 29 * part)]
    assert len({each.split(":")[1] for each in done}) > 5
