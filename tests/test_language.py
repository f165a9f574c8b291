"""Text from end to end, in this process: search by training from scratch, retraining, tables, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nasctl import load
from nasctl.cli import main as cli
from nasctl.errors import RequestError
from tests.small import CPU, Problem, session
from tests.text import WORDS, write_ptb

SMALL = [
    *("dataset=ptb", "dataset.vocabulary=null", "dataset.bptt=7", "threads=1", "space=lstm", "space.deepest=2"),
    *("space.final.embedding=8", "space.final.units=8", "trainer=language_model", "trainer.epochs=2"),
    *("trainer.batch_size=10", "trainer.eval_batch_size=5"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with a small Penn Treebank in ``data``."""
    monkeypatch.chdir(tmp_path)
    write_ptb(tmp_path / "data")
    return tmp_path


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def result(path: Path) -> dict:
    return json.loads((path / "result.json").read_text())


def test_search_retrain_compare(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_training = ["strategy=random_search", "estimator=from_scratch", "estimator.epochs=1", "reward=perplexity"]
    assert cli.run(["search", *SMALL, *by_training, "budget.trials=2", "run_dir=found"]) == 0
    trials = lines(here / "found" / "trials.jsonl")
    for trial in trials:
        assert 1 < trial["metrics"]["perplexity"] < 2 * WORDS
        assert trial["reward"] == pytest.approx(80 / trial["metrics"]["perplexity"] ** 2)
    assert result(here / "found")["metrics"] == max(trials, key=lambda trial: trial["reward"])["metrics"]
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    final, history = result(here / "final"), lines(here / "final" / "history.jsonl")
    best = min(history, key=lambda line: line["held_out_loss"])
    assert final["weights"]["held_out"]["perplexity"] == best["held_out_perplexity"]
    assert final["metrics"]["perplexity"] != best["held_out_perplexity"] and final["error"] is None
    capsys.readouterr()
    assert cli.run(["compare", ".", "format=markdown"]) == 0
    table = capsys.readouterr().out
    assert "test perplexity" in table and f"{final['metrics']['perplexity']:.2f}" in table
    assert f"{best['held_out_perplexity']:.2f}" in table and "Penn Treebank, Liu et al. 2019" not in table
    assert "its data are not the published ptb" in table
    assert final["work"]["retrain"] == 2 * 3 * (len(load_tokens(here)) - 1) * final["macs"]


def load_tokens(here: Path) -> list[str]:
    text = (here / "data" / "ptb" / "ptb.train.txt").read_text()
    return [word for line in text.splitlines() for word in (*line.split(), "<eos>")]


def test_learning_beats_guessing(here: Path) -> None:
    slow = ["trainer.epochs=15", "trainer.lr=10", "space.final.dropouts={words: 0, input: 0, layer: 0, output: 0}"]
    assert cli.run(["retrain", *SMALL, *slow, "from=LSTM", "run_dir=final"]) == 0
    assert result(here / "final")["metrics"]["perplexity"] < 25  # by the words' frequencies alone it were 27.8


def test_retraining_reads_training_and_validation_parts_and_tests_once() -> None:
    from nasctl.retrain import retrain

    problem = Problem(estimator="language")
    lines: list = []
    _, trained, metrics = retrain(
        problem.space, {"layers": 1}, problem.trainer(), problem.data, CPU,
        session(record=lines.append),
    )  # fmt: skip
    tested = [("test", 0, step) for step in range(problem.data.test().steps(2, 0))]
    assert problem.data.log[:-1] == ["test()", *tested]  # the last entry is this test's own
    assert trained.name == "best" and set(metrics) == {"loss", "perplexity"}
    assert [line["held_out_loss"] for line in lines][trained.epoch] == trained.held_out["loss"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (["trainer=plain"], "the network is a language model; choose trainer=language_model"),
        (["dataset.bptt=9000"], "dataset.bptt=9000 is longer than the data: the full part of"),
        (["dataset.vocabulary=500"], "dataset.vocabulary=500, but the training part has 31 words; set"),
        (["dataset=digits"], "space=lstm builds language models, but the data set's task is image_classification"),
        (
            ["dataset.folder=elsewhere"],
            "dataset: none of ptb.train.txt, wiki.train.tokens, train.txt is in data/elsewh",
        ),
    ],
)
def test_bad_requests_are_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], change: list[str], text: str
) -> None:
    kept = [setting for setting in SMALL if not (change == ["dataset=digits"] and "dataset" in setting)]
    kept = [setting for setting in kept if not (change == ["trainer=plain"] and setting.startswith("trainer"))]
    assert cli.run(["retrain", *kept, *change, "from=LSTM"]) == 2
    err = capsys.readouterr().err.strip().splitlines()
    assert len(err) == 1 and text in err[0]


def test_a_loss_that_is_no_number_ends_in_a_sentence_and_keeps_the_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ["trainer.lr=1e30", "trainer.clip=1e30"]
    assert cli.run(["retrain", *SMALL, *wild, "from=LSTM", "run_dir=final"]) == 2
    assert "loss is " in capsys.readouterr().err
    status = json.loads((here / "final" / "status.json").read_text())
    assert status["status"] == "failed" and "lower trainer.lr or trainer.clip" in status["reason"]


def test_another_text_than_that_of_the_checkpoint_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["retrain", *SMALL, "from=LSTM", "run_dir=final", "checkpoint.seconds=0"]
    assert cli.run(run) == 0
    unfinish(here / "final")
    path = here / "data" / "ptb" / "ptb.train.txt"
    path.write_text(path.read_text().replace("w07", "w77"))
    assert cli.run([*run, "dataset.unknown_words=error"]) == 2
    path.write_text(path.read_text().replace("w77", "w07") + "w00\n")
    assert cli.run(run) == 2
    assert "the data differ from those the run began with (by train); restore them" in capsys.readouterr().err


def unfinish(folder: Path) -> None:
    """Make a finished run look like an interrupted one."""
    (folder / "status.json").write_text(json.dumps({"status": "interrupted", "reason": None}))


def test_trained_weights_of_another_vocabulary_are_refused(here: Path) -> None:
    assert cli.run(["retrain", *SMALL, "from=LSTM", "run_dir=final"]) == 0
    loaded = load("final")
    assert loaded.network is not None and loaded.genotype == {"layers": 2}
    path = here / "data" / "ptb" / "ptb.train.txt"
    path.write_text(path.read_text().replace("w07", "w77"))  # as many words, but not the same
    for part in ("valid", "test"):
        other = path.with_name(f"ptb.{part}.txt")
        other.write_text(other.read_text().replace("w07", "w77"))
    with pytest.raises(RequestError) as error:
        load("final")
    assert str(error.value) == (
        "final: the vocabulary of the data differs from the one that the run was made with; put the text back that it "
        "was trained on"
    )
