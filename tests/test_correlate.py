"""The verb correlate: shared weights of finished searches against training, or a table of it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from scipy.stats import kendalltau

from nasctl import walk
from nasctl.cli import main as cli
from nasctl.config.build import make
from nasctl.core import Evaluation, Task
from nasctl.errors import Interrupted
from nasctl.runs import Run
from nasctl.runs.added import ADDED
from nasctl.search.rank_correlation import Estimated
from tests.mutations import unverified
from tests.tables import accuracies, nasbench201, write_benchmark, write_table
from tests.test_hostile_checkpoints import interrupt
from tests.test_resume import assert_identical

DATA = ["dataset=digits", "dataset.limit_train=128", "dataset.limit_test=64", "threads=1"]
FORMS = ["space.search={channels: 2, cells: 1}", "space.final={channels: 2, cells: 1}"]
SEARCH = ["search", "space=nasbench201", *FORMS, *DATA, "strategy=random_search", "budget.trials=2"]
SHARED = [
    "estimator.batch_size=32",
    "estimator.epochs=1",
    "estimator.schedule.warmup_epochs=1",
    "estimator/sampler=uniform",
]
SHORT = ["estimator=from_scratch", "estimator.epochs=1"]
TABLE = ["against=nasbench201_table", "paths.data=."]


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two searches of one method, one of another, one without shared weights, and a table."""
    folder = tmp_path_factory.mktemp("searches")
    runs = {
        "a": [*SHARED, "seed=0"],
        "b": [*SHARED, "seed=1"],
        "fair": [*SHARED, "estimator/sampler=fair", "label=FairNAS"],
        "short": SHORT,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_benchmark(folder / "nb201_table.csv.gz", nasbench201())
        for name, settings in runs.items():
            assert cli.run([*SEARCH, *settings, f"run_dir={name}"]) == 0
    return folder


@pytest.fixture(autouse=True)
def folder(searches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(searches, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "correlation.jsonl").read_text().splitlines()]


def result_of(run: Path) -> dict:
    return json.loads((run / "result.json").read_text())


def test_against_a_table_every_training_seed_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["correlate", "a", "b", "fair", "n=30", *TABLE]) == 0
    out = capsys.readouterr().out
    (run,) = (folder / "outputs" / "correlate" / "nasbench201-digits").iterdir()
    lines, result, table = lines_of(run), result_of(run), accuracies(nasbench201())
    assert len({line["notation"] for line in lines}) == len(lines) == 30
    for line in lines:
        assert line["trained"] == pytest.approx([value / 100 for value in table[line["notation"]]])
        assert len(line["scores"]) == 3 and all(0 <= score <= 1 for score in line["scores"])
    truth = [sum(line["trained"]) for line in lines]
    taus = [kendalltau([line["scores"][i] for line in lines], truth).statistic for i in range(3)]
    shared, fair, params, macs = result["correlation"]["predictors"]
    assert [shared["name"], shared["runs"], fair["name"], fair["runs"]] == ["random_search, uniform", 2, "FairNAS", 1]
    assert shared["tau"][0] == pytest.approx(sum(taus[:2]) / 2) and fair["tau"][0] == pytest.approx(taus[2])
    assert shared["tau_std"] == pytest.approx(abs(taus[0] - taus[1]) / 2**0.5) and fair["tau_std"] is None
    assert params["tau"][0] == pytest.approx(kendalltau([line["params"] for line in lines], truth).statistic)
    assert macs["tau_of_equal_macs"] is None and shared["tau_of_best"] is not None
    assert result["correlation"]["ceiling"]["tau"][0] < 0.5  # the seeds of this table are noise
    assert result["against"] == "table (test)" and result["correlation"]["architectures"] == 30
    assert "random_search, uniform" in out and "ceiling" in out and "table (test)" in out
    assert cli.run(["correlate", "a", "b", "fair", "n=30", *TABLE]) == 0
    assert capsys.readouterr().out == out
    assert cli.run(["ls", "runs"]) == 0 and cli.run(["compare", "."]) == 0


def test_a_score_is_that_of_the_shared_weights_on_the_whole_validation_half(folder: Path) -> None:
    """A search whose weights were done before its first trial has the same scores in its record."""
    assert cli.run([*SEARCH, *SHARED, "estimator.val_batches=null", "budget.trials=3", "run_dir=whole"]) == 0
    trials = [json.loads(line) for line in (folder / "whole" / "trials.jsonl").read_text().splitlines()]
    recorded = {tuple(trial["arch"]): trial["metrics"]["accuracy"] for trial in trials}
    names = [nasbench201().format.notation(nasbench201().genotype(arch)) for arch in recorded]
    assert len(names) == 3
    rows = [f"{name},{50 + i}" for i, name in enumerate(names)]
    (folder / "three.csv").write_text("\n".join(["arch,accuracy", *rows, ""]))
    table = ["against=table", "against.file=three.csv", "against.split=test", "against.accuracy=[accuracy]"]
    known = ["against.partial=true", "constraint.tries=200000", "paths.data=.", "run_dir=c"]
    assert cli.run(["correlate", "whole", "n=3", *table, *known]) == 0
    assert {tuple(line["arch"]): line["scores"][0] for line in lines_of(folder / "c")} == recorded


DIGITS = Task("image_classification", (1, 8, 8), 10)
COLUMNS = {"params": "weights", "macs": "flops"}


@pytest.mark.parametrize(
    "named, limit",
    [
        (("params",), []),
        (("macs",), ["constraint=macs", "constraint.limit=69999993"]),
        (("params", "macs"), ["constraint=params", "constraint.limit=1009"]),
        ((), []),
    ],
)
def test_costs_of_the_table_are_those_of_the_architectures(named: tuple, limit: list, folder: Path) -> None:
    """Those that it has no column for are counted, of networks as small as those of the search."""
    space = make(yaml.safe_load((folder / "a" / "config.yaml").read_text())["space"], DIGITS)
    names = [space.format.notation(space.genotype(arch)) for arch in itertools.islice(walk.every(space), 2000, 2012)]
    rows = {name: (50 + i, 1000 + i, 70_000_000 - i) for i, name in enumerate(names)}
    write_table(folder / "t.csv", [[name, *row] for name, row in rows.items()], ["arch", "acc", "weights", "flops"])
    table = ["against=table", "against.file=t.csv", "against.split=test", "against.accuracy=[acc]", "paths.data=."]
    table += [f"+against.metrics.{name}={COLUMNS[name]}" for name in named]
    known = ["against.partial=true", "constraint.tries=200000"]
    assert cli.run(["correlate", "a", "n=3", *table, *known, *limit, "run_dir=c"]) == 0
    for line in lines_of(folder / "c"):
        found = rows[line["notation"]]
        counted = {name: space.cost(space.genotype(tuple(line["arch"])), name) for name in COLUMNS}
        right = counted | {name: value for name, value in zip(COLUMNS, found[1:], strict=True) if name in named}
        assert {name: line[name] for name in COLUMNS} == right
        assert not limit or line[limit[0].split("=")[1]] <= float(limit[1].split("=")[1])


def test_settings_of_the_score(folder: Path) -> None:
    found = {}
    for setting in ("val_batches=1", "val_batches=null", "recalibrate=2"):
        assert cli.run(["correlate", "a", "n=8", f"correlation.{setting}", f"run_dir={setting[:5]}", *TABLE]) == 0
        found[setting] = [line["scores"] for line in lines_of(folder / setting[:5])]
        shutil.rmtree(folder / setting[:5])
    assert len({json.dumps(scores) for scores in found.values()}) == 3


def test_a_run_older_than_settings_is_scored_as_it_was(folder: Path) -> None:
    file, scores = folder / "a" / "config.yaml", []
    config = yaml.safe_load(file.read_text())
    older = config | {group: without_added(config[group]) for group in ("dataset", "estimator")}
    for group in ("dataset", "estimator"):
        assert leaves(older[group]) <= leaves(config[group]) - 2
    unverified(folder / "a", "finished")
    for name, recorded in {"newer": config, "older": older}.items():
        file.write_text(yaml.safe_dump(recorded))
        assert cli.run(["correlate", "a", "n=5", f"run_dir={name}", *TABLE]) == 0
        scores.append([line["scores"] for line in lines_of(folder / name)])
    assert scores[0] == scores[1]


def without_added(node: dict) -> dict:
    return _without(node, ADDED[node["_target_"]])


def _without(node: dict, added: dict) -> dict:
    kept = {name: value for name, value in node.items() if name not in added or isinstance(added[name], dict)}
    return {k: _without(v, added[k]) if isinstance(v, dict) and k in added else v for k, v in kept.items()}


def leaves(node: dict) -> int:
    return sum(leaves(value) if isinstance(value, dict) else 1 for value in node.values())


@pytest.mark.slow
def test_what_is_recalibrated_is_not_scored_with_moving_averages(folder: Path) -> None:
    assert cli.run([*SEARCH, *SHARED, "estimator.statistics.norms=moving", "run_dir=moving"]) == 0
    found = {}
    for run in ("a", "moving"):
        for setting in ("null", "0", "2"):
            given = ["correlate", run, "n=5", f"correlation.recalibrate={setting}", f"run_dir=c{run}{setting}"]
            assert cli.run([*given, *TABLE]) == 0
            found[run, setting] = [line["scores"] for line in lines_of(folder / f"c{run}{setting}")]
    assert found["a", "2"] == found["moving", "2"] and found["a", "null"] == found["a", "0"]
    assert found["moving", "null"] == found["moving", "0"] != found["a", "0"]


def test_against_training_from_scratch(folder: Path) -> None:
    assert cli.run(["correlate", "a", "fair", "n=3", "correlation.trainings=2", "trainer.epochs=1", "run_dir=c"]) == 0
    lines, result = lines_of(folder / "c"), result_of(folder / "c")
    assert result["against"] == "retrained" and result["correlation"]["trainings"] == 2
    assert result["correlation"]["ceiling"] is not None and result["cost"]["correlation"] > 0
    for seed in (0, 1):
        (folder / "found.txt").write_text(lines[2]["notation"])
        final = f"final{seed}"
        alone = ["retrain", "from=found.txt", "space=nasbench201", *FORMS, *DATA, "trainer.epochs=1"]
        assert cli.run([*alone, f"seed={seed}", "dataset.split_seed=0", f"run_dir={final}"]) == 0
        assert lines[2]["trained"][seed] == pytest.approx(result_of(folder / final)["metrics"]["accuracy"])


def test_against_an_estimator_that_trains_for_a_short_time(folder: Path) -> None:
    arguments = ["against=from_scratch", "against.epochs=1", "run_dir=c"]
    assert cli.run(["correlate", "a", "n=3", *arguments]) == 0
    assert result_of(folder / "c")["against"] == "short training"
    assert result_of(folder / "c")["correlation"]["ceiling"] is None


@pytest.mark.parametrize("moment", [1, *(pytest.param(m, marks=pytest.mark.slow) for m in (3, 8))])
def test_interrupted_and_resumed_equals_uninterrupted(
    moment: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the middle of a training: an epoch has steps between which a run can be stopped."""
    arguments = ["correlate", "a", "fair", "n=3", "trainer.epochs=2", "trainer.batch_size=32", "checkpoint.seconds=0"]
    assert cli.run([*arguments, "run_dir=whole"]) == 0
    ticks, tick = [], Run.tick

    def stopping(run: Run, state, values) -> None:  # type: ignore[no-untyped-def]
        tick(run, state, values)
        ticks.append(values["phase"])
        if len(ticks) == moment:
            raise Interrupted(15)

    monkeypatch.setattr(Run, "tick", stopping)
    assert cli.run([*arguments, "run_dir=parts"]) == 128 + 15
    assert len(ticks) == moment and not (folder / "parts" / "result.json").exists()
    assert cli.run([*arguments, "run_dir=parts", "resume=must"]) == 0
    assert_identical(folder / "whole", folder / "parts")
    assert lines_of(folder / "whole") == lines_of(folder / "parts") and len(lines_of(folder / "parts")) == 3
    found = [result_of(folder / name)["correlation"] for name in ("whole", "parts")]
    assert found[0] == found[1]


@pytest.mark.slow
def test_another_training_in_the_checkpoint_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["correlate", "a", "n=3", "trainer.epochs=2", "trainer.batch_size=32", "run_dir=c"]
    interrupt(command, 2, monkeypatch)
    path = folder / "c" / "checkpoint.pt"
    whole = torch.load(path, weights_only=True)
    assert whole["state"]["training"]
    for part, wrong in (("lines", {}), ("lines", [3]), ("lines", [{}] * 4), ("trained", 3), ("trained", ["x"])):
        torch.save({**whole, "state": {**whole["state"], part: wrong}}, path)
        assert cli.run(command) == 2
        assert "c/checkpoint.pt: holds no state of such a run (" in capsys.readouterr().err
    for training in ({}, [1], {**whole["state"]["training"], "position": 10**6}):
        torch.save({**whole, "state": {**whole["state"], "training": training}}, path)
        capsys.readouterr()
        assert cli.run(command) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert line.startswith("nasctl: c/checkpoint.pt: holds no state of such a run (")
    torch.save(whole, path)
    assert cli.run([*command, "resume=must"]) == 0


def test_other_seeds_draw_other_architectures(folder: Path) -> None:
    for seed in (0, 1):
        assert cli.run(["correlate", "a", "n=3", f"seed={seed}", f"run_dir=c{seed}", *TABLE]) == 0
    first, second = ([line["arch"] for line in lines_of(folder / f"c{seed}")] for seed in (0, 1))
    assert first != second


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["short", *TABLE], "from: short searched with estimator=from_scratch, which leaves no shared weights"),
        (["a", "short", *TABLE], "from: short searched with estimator=from_scratch"),
        (["bare", *TABLE], "from: bare has no checkpoint.pt, which holds its shared weights"),
        (["nowhere", "space=nasbench201", *DATA, *TABLE], "nowhere: not a run directory"),
        (["a", "n=2", *TABLE], "correlation.n=2: input should be greater than or equal to 3"),
        (["a", "n=15626", *TABLE], "correlation.n=15626: 15,625 of the 15,625 architectures are within the constraint"),
        (["a", "correlation.top=1", *TABLE], "correlation.top=1: input should be less than 1"),
        (["a", "n=50", "constraint=macs", "constraint.limit=1", *TABLE], "constraint"),
        (["a", "against=nasbench201_tabel", "paths.data=."], "nasbench201_table"),
        ([*DATA, "space=nasbench201"], "from: nothing"),
    ],
)
def test_what_cannot_be_correlated_is_refused_in_one_sentence(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder / "a", folder / "bare")
    for name in ("checkpoint.pt", "checkpoint.previous.pt"):
        (folder / "bare" / name).unlink(missing_ok=True)
    capsys.readouterr()
    assert cli.run(["correlate", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.strip().splitlines()) == 1
    assert not (folder / "outputs").exists()


def test_a_run_of_another_space_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    darts = ["search", "space=darts", "space.nodes=1", *DATA, "strategy=random_search", "budget.trials=1"]
    small = [f"space.{form}.{part}=2" for form in ("search", "final") for part in ("channels", "layers")]
    assert cli.run([*darts, *small, "estimator.batch_size=32", "estimator.epochs=1", "run_dir=darts"]) == 0
    capsys.readouterr()
    assert cli.run(["correlate", "a", "darts", *TABLE]) == 2
    assert "from: darts searched another space than the others" in capsys.readouterr().err


def test_the_checkpoint_before_a_damaged_one_does_not_stand_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "a" / "checkpoint.pt"
    shutil.copy(path, folder / "a" / "checkpoint.previous.pt")
    path.write_bytes(path.read_bytes()[:-100])
    assert cli.run(["correlate", "a", "n=3", *TABLE]) == 2
    assert re.search(r"a/checkpoint\.pt: has [\d,]+ bytes, but status\.json says", capsys.readouterr().err)
    for status in (folder / "a" / "status.json", folder / "b" / "status.json"):
        status.write_text('{"status": "finished", "reason": null}')
    assert cli.run(["correlate", "a", "n=3", *TABLE]) == 2
    assert "a/checkpoint.pt: cannot be read (BadZipFile" in capsys.readouterr().err


def test_another_estimator_trains_each_architecture_by_its_own_index():
    class Asked:
        def evaluate(self, candidate, index):
            return Evaluation({"error": float(index)})

    class Quality:
        def quality(self, metrics):
            return metrics["error"]

    training = Estimated(Asked(), Quality())
    assert [training(index, (0,), lambda *words: None, None) for index in (0, 3, 1)] == [0.0, 3.0, 1.0]
