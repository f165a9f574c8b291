"""A run directory from a stranger: no traceback, no code run, nothing touched outside outputs, no control characters"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

import nasctl
from nasctl.cli import main as cli
from nasctl.config.settings import conf_dir
from nasctl.errors import RequestError, RunError
from tests import hostile
from tests.tables import nasbench201, write_benchmark
from tests.test_correlate import SEARCH, SHARED, TABLE

SHORT = ["trainer.epochs=1", "selection.epochs=1"]
RANDOM = ["strategy=random_search", "estimator=from_scratch", "estimator.epochs=1"]
HOSTILE, CHUNK = 500, 25
SAMPLE = 16  # one of each attack
Verbs = Callable[[str], list[list[str]]]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a search, a retrain of what it found, and a table."""
    folder = tmp_path_factory.mktemp("bases")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_benchmark(folder / "nb201_table.csv.gz", nasbench201())
        assert cli.run([*SEARCH, *SHARED, *SHORT, "run_dir=search"]) == 0
        assert cli.run(["retrain", "from=search", "run_dir=final"]) == 0
    for status in folder.glob("*/status.json"):  # a stranger who changes files changes their hashes too, or drops them
        status.write_text(json.dumps({"status": "finished", "reason": None}))
    return folder


@pytest.fixture
def here(bases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with data, a victim's files beside it, and a secret in the environment."""
    folder = tmp_path / "here"
    (folder / "outputs").mkdir(parents=True)
    shutil.copy(bases / "nb201_table.csv.gz", folder)
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "precious.txt").write_text("precious")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NASCTL_SECRET", hostile.SECRET)
    monkeypatch.setenv("NASCTL_DATA", str(folder))
    monkeypatch.syspath_prepend(str(folder))  # as python -m nasctl does
    return folder


def state_of(folder: Path, but: Path) -> dict[str, str]:
    """Return a digest of each file below ``folder`` that is not below ``but``."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(but)]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def quick(run: str) -> list[list[str]]:
    """Return commands that train nothing."""
    return [["ls", "runs", run], ["compare", run], ["inspect", f"from={run}"]]


def commands(run: str) -> list[list[str]]:
    """Return the commands of all verbs that read a run."""
    return [
        ["ls", "runs", run],
        *(["compare", run, f"format={format}"] for format in ("table", "csv", "json", "markdown", "latex")),
        ["compare", run, "x=params"],
        ["compare", run, "pareto=params"],
        ["inspect", f"from={run}"],
        ["retrain", f"from={run}"],
        ["select", run],
        ["correlate", run, "n=3", *TABLE],
        ["search", *RANDOM, f"budget.like={run}"],
        [*SEARCH, *SHARED, *SHORT, f"run_dir={run}"],
    ]


def program(run: str) -> None:
    """Read a run as a Python program does."""
    for read in (nasctl.load, nasctl.table):
        try:
            read(run)
        except (RequestError, RunError) as error:
            assert str(error)


def attack(seed: int, bases: Path, here: Path, capsys: pytest.CaptureFixture[str], verbs: Verbs = commands) -> None:
    """Make a hostile run, have the verbs read it, and hold what must hold; then remove it."""
    run = here / "outputs" / f"r{seed}"
    kind = hostile.make(seed, bases, run, here.parent / "victim")
    shutil.copy(run / "evil.py", here)
    before = state_of(here.parent, here / "outputs")
    for command in verbs(f"outputs/{run.name}"):
        said = f"seed {seed}, {kind}: nasctl {' '.join(command)}"
        code = cli.run(command)
        out, err = capsys.readouterr()
        assert code in (0, 2), f"{said}: exit code {code}\n{err}"
        assert "Traceback" not in out + err, f"{said}\n{err}"
        assert not hidden(out + err), f"{said}: {hidden(out + err)} in\n{out}{err}"
        assert hostile.SECRET not in out + err, said
    program(str(run))
    assert state_of(here.parent, here / "outputs") == before, f"seed {seed}, {kind}"
    assert "evil" not in sys.modules
    shutil.rmtree(run)
    for path in (here / "outputs").rglob("*"):
        assert not path.is_file() or hostile.SECRET.encode() not in path.read_bytes(), f"seed {seed}, {kind}: {path}"


def hidden(text: str) -> set[str]:
    """Return the characters of ``text`` that steer a terminal or hide, line ends apart."""
    return {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, HOSTILE, CHUNK))
def test_hostile_runs(first: int, bases: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(first, first + CHUNK):
        attack(seed, bases, here, capsys)


@pytest.mark.parametrize("seed", range(SAMPLE))
def test_a_hostile_run_of_each_kind(seed: int, bases: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attack(seed + SAMPLE, bases, here, capsys, quick)


@pytest.fixture
def run(bases: Path, here: Path) -> hostile.Attack:
    """Return a search in outputs/run whose records a test may change."""
    return copied(bases, here, "search")


def copied(bases: Path, here: Path, name: str) -> hostile.Attack:
    shutil.copytree(bases / name, here / "outputs" / "run")
    return hostile.Attack(here / "outputs" / "run", here.parent / "victim", random.Random(0))


READERS = {
    "inspect": ["inspect", "from=outputs/run"],
    "retrain": ["retrain", "from=outputs/run"],
    "select": ["select", "outputs/run"],
    "correlate": ["correlate", "outputs/run", "n=3", *TABLE],
    "search": ["search", *RANDOM, "budget.like=outputs/run"],
}


def refused(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Have a verb read outputs/run, or `nasctl.load`; return the sentence with which it is refused."""
    capsys.readouterr()
    if verb == "load":
        with pytest.raises(RequestError) as error:
            nasctl.load("outputs/run")
        return str(error.value)
    assert cli.run(READERS[verb]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("verb", ["inspect", "retrain", "select", "correlate"])
@pytest.mark.parametrize("line", ["label=${oc.env:NASCTL_SECRET}", "label='\\${oc.env:NASCTL_SECRET}'"])
def test_no_environment_variable_is_read_for_a_run(
    verb: str, line: str, run: hostile.Attack, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.lines(line)
    said = refused(verb, capsys)
    assert "refers to another setting or to the environment; give label=... here" in said
    assert hostile.SECRET not in said and [path.name for path in (here / "outputs").iterdir()] == ["run"]


def test_no_environment_variable_is_read_for_a_search_like_a_run(
    run: hostile.Attack, capsys: pytest.CaptureFixture[str]
) -> None:
    run.set("config.yaml", "space/search/channels", "${oc.decode:${oc.env:NASCTL_SECRET}}")
    assert "space.search.channels" in (said := refused("search", capsys)) and hostile.SECRET not in said


@pytest.mark.parametrize("verb", ["load", "inspect", "retrain", "correlate", "search"])
@pytest.mark.parametrize("group", ["dataset", "space"])
def test_no_callable_of_a_run_is_called(
    verb: str, group: str, run: hostile.Attack, capsys: pytest.CaptureFixture[str]
) -> None:
    run.set("config.yaml", group, {"_target_": "shutil.rmtree", "path": str(run.victim)})
    if verb != "load":
        run.lines(f"++{group}._target_=shutil.rmtree", f"++{group}.path='{run.victim}'")
    said = refused(verb, capsys)
    assert f"{group}" in said and (run.victim / "precious.txt").exists()


@pytest.mark.parametrize("verb", ["load", "correlate"])
def test_a_module_that_lies_in_a_run_is_never_imported(
    verb: str, run: hostile.Attack, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (run.run, here):  # the second one is on sys.path
        (folder / "evil.py").write_text(f"open({str(run.victim / 'sprung')!r}, 'w')\nclass Evil: pass\n")
    run.set("config.yaml", "dataset/_target_", "evil.Evil")
    said = refused(verb, capsys)
    assert "dataset._target_ is 'evil.Evil', which no YAML names at that place" in said
    assert "evil" not in sys.modules and not (run.victim / "sprung").exists()


@pytest.mark.parametrize("name", ["../../x", "..", "/tmp/x", "a/../../b"])
def test_names_of_a_run_lead_nowhere(
    name: str, run: hostile.Attack, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.set("config.yaml", "choices/space", name)
    assert "choices.space is" in refused("retrain", capsys)
    run.set("config.yaml", "choices/space", "nasbench201")
    run.lines(f"space={name}")
    assert "chooses what no YAML holds" in refused("retrain", capsys)
    assert [path.name for path in (here / "outputs").iterdir()] == ["run"]


def test_the_name_of_a_source_is_no_path(bases: Path, here: Path) -> None:
    run = copied(bases, here, "final")
    source = json.loads((run.run / "result.json").read_text())["source"] | {"choices": {}}
    for name in ("../../..", "x" * 300):
        run.set("result.json", "source", source | {"name": name})
        before = state_of(here, here / "outputs")
        assert cli.run([*READERS["retrain"], f"seed={len(name)}"]) == 0
        assert state_of(here, here / "outputs") == before
    assert {path.name for path in (here / "outputs").iterdir()} == {"run", "retrain"}
    assert len(list((here / "outputs" / "retrain").glob("*/*/result.json"))) == 2


def test_paths_of_a_run_are_left_out_with_the_override_to_add(
    run: hostile.Attack, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.lines("paths.data=/victim", "++estimator.root=/victim", "run_dir=/victim", "paths.outputs=/victim")
    assert cli.run([*READERS["retrain"], "trainer.epochs=1"]) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: outputs/run: a run brings no paths or addresses along; to use its own, add paths.data=/victim"
    ]
    (made,) = (here / "outputs" / "retrain").glob("*/*/config.yaml")
    assert yaml.safe_load(made.read_text())["paths"] == {"data": str(here), "outputs": "outputs"}
    assert cli.run([*READERS["inspect"], "paths.data=/elsewhere"]) == 0
    assert "note" not in capsys.readouterr().err


def test_the_data_of_a_loaded_run_lie_where_they_lie_here(run: hostile.Attack, here: Path) -> None:
    ptb = yaml.safe_load((conf_dir() / "dataset" / "ptb.yaml").read_text())
    run.set("config.yaml", "paths/data", "/victim")
    assert nasctl.load("outputs/run").network is None
    for key, value in {"folder": "../../victim", "cache": "/victim"}.items():
        run.set("config.yaml", "dataset", ptb | {key: value})
        with pytest.raises(RequestError, match=rf"dataset\.{key} is .*, and a path comes from no run"):
            nasctl.load("outputs/run")


@pytest.mark.parametrize("name", ["status.json", "result.json", "config.yaml", "overrides.yaml", "architecture.json"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipes_and_devices_are_no_records(
    kind: str, name: str, run: hostile.Attack, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run.run / name
    path.unlink()
    os.mkfifo(path) if kind == "pipe" else path.symlink_to("/dev/zero")
    refused("inspect", capsys)
    for command in (["ls", "runs", "outputs/run"], ["compare", "outputs/run"]):
        assert cli.run(command) in (0, 2)
    with pytest.raises(RequestError) if name != "overrides.yaml" else contextlib.nullcontext():
        nasctl.load("outputs/run")


@pytest.mark.parametrize(
    "name", ["architecture.json", "history.jsonl", "costs.jsonl", "environment.json", "weights.pt"]
)
def test_a_pipe_in_a_retrain_is_not_waited_for(
    name: str, bases: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What tables look at beside the result: content, curves, costs."""
    run = copied(bases, here, "final").run
    (run / name).unlink()
    os.mkfifo(run / name)
    for settings in ([], ["format=runs_csv"], ["x=params"], ["pareto=params"], ["metric=accuracy"]):
        assert cli.run(["compare", "outputs/run", *settings]) in (0, 2)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err


def test_an_error_never_steers_the_terminal(run: hostile.Attack, capsys: pytest.CaptureFixture[str]) -> None:
    run.set("status.json", "status", "\x1b[2J\nnasctl: done")
    said = refused("retrain", capsys)
    assert len(said.splitlines()) == 1 and not hidden(said) and "\\x1b[2J\\nnasctl: done" in said


def test_several_misfits_stand_in_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["retrain", "from=DARTS_V2", "space=darts", "dataset=digits", "seed=-1", "trainer.lr=x"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("nasctl: seed=-1") and second.startswith("trainer.lr='x'")


def test_a_setting_given_today_replaces_a_line_that_is_refused(run: hostile.Attack) -> None:
    run.lines("label=${oc.env:NASCTL_SECRET}", "space=../../x")
    assert cli.run([*READERS["inspect"], "label=mine", "space=nasbench201"]) == 0


OWN_SPACE = "defaults: [nasbench201, _self_]\nsearch: {channels: 2, cells: 1}\nfinal: {channels: 2, cells: 1}\n"


def test_choices_of_ones_own_go_on_working(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A space, and a class of one's own that only the folder's YAML names."""
    (here / "own" / "space").mkdir(parents=True)
    (here / "own" / "dataset").mkdir()
    (here / "own" / "space" / "tiny.yaml").write_text(OWN_SPACE)
    digits = (conf_dir() / "dataset" / "digits.yaml").read_text()
    (here / "own" / "dataset" / "mine.yaml").write_text(digits.replace("nasctl.dataset.digits", "my_data"))
    (here / "my_data.py").write_text("from nasctl.dataset.digits import Digits\n")
    own = ["--config-dir=own"]
    data = ["space=tiny", "dataset=mine", "dataset.limit_train=128", "dataset.limit_test=64", "threads=1"]
    budget = ["strategy=random_search", "budget.trials=1", *SHARED, *SHORT]
    assert cli.run(["search", *own, *data, *budget, "run_dir=found"]) == 0
    assert cli.run(["retrain", *own, "from=found", "run_dir=final"]) == 0
    assert cli.run(["correlate", "found", "n=3", *TABLE, "run_dir=held", *own]) == 0
    assert cli.run(["search", *RANDOM, "budget.like=found", "run_dir=other", *own]) == 0
    assert nasctl.load("final", config_dir="own").network is not None
    with pytest.raises(RequestError, match=r"dataset\._target_ is 'my_data.Digits', which no YAML names"):
        nasctl.load("final")
    capsys.readouterr()
    assert cli.run(["retrain", "from=found"]) == 2
    assert "chooses what no YAML holds; if it is one of your own, add --config-dir=DIR" in capsys.readouterr().err


def test_the_page_on_security_names_a_test_for_each_line() -> None:
    root = Path(__file__).parents[1]
    lines = [line for line in (root / "docs" / "security.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(lines) >= 20
    for line in lines:
        found = re.fullmatch(r"\| .+ \| .+ \| .+ \| `(tests/[\w/]+\.py)::(\w+)` \|", line)
        assert found, line
        tree = ast.parse((root / found[1]).read_text())
        assert found[2] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, line


def test_a_checkpoint_of_another_run_is_one_sentence(run: hostile.Attack, capsys: pytest.CaptureFixture[str]) -> None:
    run.set("status.json", "status", "interrupted")
    for state in (
        {"state": {}, "sizes": {}},
        {"state": {"strategy": [1], "estimator": 5}, "sizes": {}},
        [1],
        {"state": 5},
    ):
        torch.save(state, run.run / "checkpoint.pt")
        assert cli.run([*SEARCH, *SHARED, *SHORT, "run_dir=outputs/run"]) == 2
        (sentence,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nasctl: ")]
        assert "checkpoint" in sentence and "; " in sentence and "remove " in sentence
