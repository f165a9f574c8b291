"""The command line: what a user sees, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.commands import SMALL

DIGITS = ["search", "+experiment=darts_digits", "+debug=smoke"]
BASE = ["search", "space=darts", "strategy=darts", "dataset=digits", "threads=1"]
LIMIT = ["constraint=params", "constraint.limit=9", "constraint.tries=3"]
EPOCH = [*BASE, "budget.epochs=1"]
RETRAIN = ["retrain", "from=DARTS_V2", *SMALL, "dataset=digits"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCTL_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serch"], ["verb: unknown 'serch'; did you mean 'search'?"]),
        (
            ["search"],
            [
                "space: nothing is chosen",
                "space=...",
                "one of awd_lstm, darts, darts_imagenet, enas_macro, enas_micro",
            ],
        ),
        (["search", "space=dartz"], ["space: unknown 'dartz'; did you mean 'darts'?"]),
        (
            ["search", "+experiment=darts_digit"],
            ["experiment: unknown 'darts_digit'; did you mean 'darts_digits'?"],
        ),
        (
            [*BASE, "estimator.unrol=exact"],
            ["estimator.unrol: unknown setting; did you mean estimator.unroll?"],
        ),
        ([*EPOCH, "+estimator.foo=1"], ["estimator: unknown 'foo'", "batch_size"]),
        (
            [*EPOCH, "estimator/unroll=exakt"],
            ["estimator/unroll: unknown 'exakt'", "did you mean 'exact'? choose from exact, finite_difference"],
        ),
        (
            [*EPOCH, "estimator.optimizer.lr=fast", "estimator.batch_size=-3", "seed=-1"],  # all at once
            ["estimator.optimizer.lr='fast'", "estimator.batch_size=-3", "seed=-1"],
        ),
        (BASE, ["budget: nothing ends a search", "set budget.trials, budget.epochs or budget.work"]),
        ([*EPOCH, "estimator=from_scratch"], ["strategy=darts follows the gradient", "estimator=supernet"]),
        ([*EPOCH, "space=enas_macro"], ["strategy=darts follows", "space=enas_macro cannot be relaxed", "as enas or"]),
        ([*EPOCH, "space=darts_imagenet"], ["stem=imagenet", "8x8", "dataset.image_size"]),
        ([*EPOCH, "dataset=cifar10"], ["data/cifar-10-batches-py", "download=true", "paths.data=DIR"]),
        ([*EPOCH, "constraint=params"], ["constraint.limit: a value is required"]),
        (
            [*EPOCH, "strategy=random_search", *LIMIT, "space.final.layers=3", "space.search.layers=1"],
            ["constraint.limit=9", "none of 3", "the cheapest of them has"],
        ),
        ([*EPOCH, "device=tpu"], ["device=tpu", "use auto, cpu, cuda"]),
        ([*EPOCH, "resume=must"], ["resume=must", "does not exist"]),
        ([*EPOCH, "strategy.lr"], ["strategy.lr", "correct the command line"]),
        (["retrain", "space=darts", "dataset=digits"], ["from: nothing to start from", "from=DARTS_V2"]),
        (["retrain"], ["from: nothing to start from"]),
        (["retrain", "from=outputs/serch/x"], ["from=outputs/serch/x: not a run directory", "space=..."]),
        (["select", "nowhere"], ["from=nowhere: not a run directory"]),
        (["correlate"], ["from: nothing to start from"]),
        (
            ["retrain", "space=darts", "dataset=digits", "from=DARTS_V3"],
            ["'DARTS_V3'; did you mean 'DARTS_V2'?"],
        ),
        (["retrain", "space=darts", "dataset=digits", "from=data"], ["data: not a run directory"]),
        (
            [*RETRAIN, "trainer=darts"],
            ["trainer.auxiliary_weight=0.4", "no auxiliary head", "trainer.auxiliary_weight=0"],
        ),
        (
            [*RETRAIN, "trainer.precision=fp16", "device=cpu"],
            ["trainer.precision=fp16 needs a GPU", "use fp32 or bf16"],
        ),
        ([*RETRAIN, "trainer.precision=fp8"], ["trainer.precision='fp8'", "'fp32', 'bf16' or 'fp16'"]),
        ([*RETRAIN, "trainer.keep=best"], ["trainer.keep=best has nothing to choose by", "trainer.held_out=0.1"]),
        ([*RETRAIN, "trainer.held_out=1"], ["trainer.held_out=1", "less than 1"]),
        ([*RETRAIN, "trainer.cutout=16"], ["trainer.cutout=16", "less than 1"]),
        ([*RETRAIN, "dry_run=maybe"], ["dry_run='maybe'"]),
        (["inspect", "space=darts", "dataset=digits", "format=svg"], ["format: unknown 'svg'"]),
        (["compare", "nowhere"], ["nowhere: no such folder"]),
        (["compare", "form=csv"], ["setting: unknown 'form'; did you mean 'format'?"]),
        (["ls", "strategies"], ["unknown 'strategies'; did you mean 'strategy'?"]),
        (["ls", "strategy", "space"], ["'space' is a word too many"]),
        (["ls", "runs", "nowhere"], ["nowhere: no such folder"]),
    ],
)
def test_bad_input_gets_a_sentence_and_code_2(
    arguments: list[str], said: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data").mkdir()
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    for part in said:
        assert part in err


@pytest.mark.parametrize("switch", ["trainer=darts", "trainer.precision=fp16", "trainer.keep=best"])
def test_a_recipe_that_does_not_fit_is_refused_before_there_is_a_run(switch: str, folder: Path) -> None:
    assert cli.run([*RETRAIN, "device=cpu", switch]) == 2
    assert not (folder / "outputs").exists()


def test_the_record_says_which_weights_were_tested(folder: Path) -> None:
    short = ["dataset.limit_train=64", "trainer.epochs=2", "trainer.batch_size=32", "threads=1"]
    choose = ["trainer.held_out=0.25", "trainer.keep=best", "trainer.ema_decay=0.5"]
    assert cli.run([*RETRAIN, *short, *choose, "run_dir=best"]) == 0
    assert cli.run([*RETRAIN, *short, "run_dir=last"]) == 0
    best, last = (json.loads((folder / name / "result.json").read_text())["weights"] for name in ("best", "last"))
    assert best["name"] == "best" and best["epoch"] in (0, 1) and best["averaged"]
    assert last == {"name": "last", "epoch": 1, "averaged": False}
    assert {path.name for path in folder.glob("*/weights*")} == {"weights.pt", "weights.last.pt"}
    assert not (folder / "last" / "weights.last.pt").exists()
    lines = [json.loads(line) for line in (folder / "best" / "history.jsonl").read_text().splitlines()]
    assert all(0 <= line["held_out_error"] <= 100 for line in lines) and len(lines) == 2


def test_traceback_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*EPOCH, "device=tpu", "traceback=true"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_divergence_names_the_step_and_keeps_the_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*DIGITS, "estimator.optimizer.lr=1e30", "estimator.epochs=5", "budget.epochs=5", "budget.trials=50"]
    assert cli.run([*arguments, "run_dir=run"]) == 2
    assert "loss is nan at step" in capsys.readouterr().err
    status = json.loads((folder / "run" / "status.json").read_text())
    assert status["status"] == "failed" and "nan at step" in status["reason"]
    assert "Traceback" in (folder / "run" / "log.txt").read_text()


def test_a_search_in_which_every_candidate_diverges_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "search",
        "+experiment=random_search_digits",
        "+debug=smoke",
        "trainer.lr=1e30",
        "estimator.epochs=2",
    ]
    assert cli.run(arguments) == 2
    assert "no trial has succeeded" in (err := capsys.readouterr().err) and "loss is" in err


def test_search_retrain_compare_consume_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*DIGITS, "run_dir=found", "seed=3"]) == 0
    out = capsys.readouterr().out
    assert "proxy error" in out and "next: nasctl retrain from=found" in out
    assert cli.run(["retrain", "from=found"]) == 0
    (run,) = (folder / "outputs" / "retrain").glob("*/*-s3")
    assert run.parent.name == "darts-darts-digits"
    result = json.loads((run / "result.json").read_text())
    search = json.loads((folder / "found" / "result.json").read_text())
    assert result["error_kind"] == "retrained" and result["params"] == search["params"]
    assert result["cost"]["search"] == search["cost"]["search"] > 0 < result["cost"]["retrain"]
    assert result["source"]["signature"] == search["signature"] and result["source"]["seed"] == 3
    assert cli.run(["compare", "found", str(run), "format=json"]) == 0
    out = capsys.readouterr().out
    (row,) = json.loads(out[out.index("{") :])["methods"]
    assert row["error"]["mean"] == result["error"]


def test_the_same_command_again_shows_the_finished_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(DIGITS) == 0
    first = capsys.readouterr().out
    (run,) = (folder / "outputs" / "search").glob("*/*")
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    assert cli.run(DIGITS) == 0
    assert capsys.readouterr().out == first
    assert {path: path.stat().st_mtime_ns for path in run.iterdir()} == before
    assert cli.run([*DIGITS, "resume=never"]) == 2


def test_settings_of_the_run_itself_do_not_name_another_directory(folder: Path) -> None:
    for extra in ([], ["checkpoint.seconds=1"], ["traceback=true"], ["resume=auto"]):
        assert cli.run([*DIGITS, *extra]) == 0
    assert len(list((folder / "outputs" / "search").glob("*/*"))) == 1


def test_a_directory_of_another_configuration_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*DIGITS, "run_dir=run"]) == 0
    assert cli.run([*DIGITS, "run_dir=run", "strategy.lr=0.5"]) == 2
    assert "strategy.lr: 0.003 there, 0.5 here" in capsys.readouterr().err


def test_an_unfinished_run_is_no_source(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*DIGITS, "run_dir=run"]) == 0
    (folder / "run" / "status.json").write_text('{"status": "interrupted", "reason": "stopped"}')
    assert cli.run(["retrain", "from=run"]) == 2
    assert "run: the run is interrupted, not finished" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a=b", "with space", "br(ack)et", "a,b"])
def test_awkward_paths(name: str, folder: Path) -> None:
    (folder / name).mkdir()
    assert cli.run([*DIGITS, f"run_dir={name}/run"]) == 0
    assert cli.run(["retrain", f"from={name}/run", f"run_dir={name}/retrain"]) == 0
    assert (folder / name / "retrain" / "result.json").exists()


def test_sweep_over_sources_is_not_quoted() -> None:
    assert cli.quoted("from=a/b,c/d", sweep=True) == "from=a/b,c/d"
    assert cli.quoted("from=a/b,c/d", sweep=False) == "from='a/b,c/d'"
    assert cli.quoted("from=[a, b]", sweep=False) == "from=[a, b]"
    assert cli.quoted("strategy.name=a b", sweep=False) == "strategy.name=a b"


def test_random_architectures_differ_between_seeds(folder: Path) -> None:
    for seed in (0, 1):
        assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", f"seed={seed}"]) == 0
    first, second = (p.read_text() for p in (folder / "outputs" / "search").glob("*/*/trials.jsonl"))
    assert first != second


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["ls"], ["ls", "runs"], ["compare"]])
def test_quick_verbs_import_nothing_heavy(command: list[str], folder: Path) -> None:
    assert cli.run([*DIGITS]) == 0
    program = (
        f"import sys; from nasctl.cli import main as cli; assert cli.run({command}) == 0\n"
        "heavy = {'torch', 'hydra', 'omegaconf', 'pandas', 'numpy', 'sklearn', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=folder)


def test_composing_does_not_import_torch(folder: Path) -> None:
    program = (
        "import sys; from nasctl.cli import main as cli\n"
        "try: cli.run(['search', '+experiment=darts_cifar10', '--cfg', 'job'])\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'hydra' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=folder)


def test_seeds_of_one_search_share_a_signature(folder: Path) -> None:
    for seed in (0, 1):
        assert cli.run([*DIGITS, f"seed={seed}"]) == 0
    first, second = sorted(path.name for path in (folder / "outputs" / "search").glob("*/*"))
    assert first.endswith("-s0") and second == first.replace("-s0", "-s1")
