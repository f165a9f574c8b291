"""Where an architecture comes from, and what a finished run gives back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import nasctl
from nasctl import genotype_source as source
from nasctl.cli import main as cli
from nasctl.core import SearchSpace
from nasctl.errors import RequestError
from nasctl.search.feasible import Feasible
from tests.small import Problem


@pytest.fixture
def space() -> SearchSpace:
    return Problem("space.nodes=4").space


def test_every_published_genotype_is_found_by_its_name(space: SearchSpace) -> None:
    files = sorted((source.PUBLISHED / "darts").glob("*.json"))
    assert {"AmoebaNet", "DARTS_V1", "DARTS_V2", "NASNet", "PC_DARTS_cifar", "PDARTS"} <= {f.stem for f in files}
    for file in files:
        found = source.find(file.stem, space)
        written = space.format.check(json.loads(file.read_text())["genotype"])
        assert found.kind == "published" and found.genotype == space.format.canonical(written)
        assert "https://" in json.loads(file.read_text())["source"]


def test_a_file_in_json_or_in_the_usual_notation(space: SearchSpace, tmp_path: Path) -> None:
    genotype = source.find("DARTS_V1", space).genotype
    (tmp_path / "a.json").write_text(json.dumps(genotype))
    (tmp_path / "b.json").write_text(json.dumps({"family": "darts", "genotype": genotype}))
    (tmp_path / "c.txt").write_text(space.format.notation(genotype))
    for name in ("a.json", "b.json", "c.txt"):
        assert source.find(str(tmp_path / name), space).genotype == genotype


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"family": "rnn", "genotype": {}}', "a genotype of rnn, but the space is darts; choose space=rnn"),
        ('{"normal": [', "not a JSON file"),
        (
            "__import__('os').system('touch sprung')",
            r"line 1: genotype text: .* is not of the form|is no number, name in quotes",
        ),
    ],
)
def test_a_file_that_is_none(text: str, said: str, space: SearchSpace, tmp_path: Path) -> None:
    (tmp_path / "g").write_text(text)
    with pytest.raises(RequestError, match=said):
        source.find(str(tmp_path / "g"), space)


def test_an_unknown_operation_names_the_nearest(space: SearchSpace, tmp_path: Path) -> None:
    text = space.format.notation(source.find("DARTS_V1", space).genotype).replace("sep_conv_3x3", "sep_conv_3", 1)
    (tmp_path / "g").write_text(text)
    with pytest.raises(RequestError, match="unknown 'sep_conv_3'; did you mean 'sep_conv_3x3'"):
        source.find(str(tmp_path / "g"), space)


def test_load_gives_genotype_and_trained_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    searched, trained = nasctl.load("found"), nasctl.load("final")
    assert searched.network is None and searched.genotype == trained.genotype
    assert trained.network is not None and not trained.network.training
    logits = trained.network(torch.zeros(2, 1, 8, 8))
    assert logits.shape == (2, 10)
    weights = torch.load("final/weights.pt", weights_only=True)
    assert all(torch.equal(weights[name], value) for name, value in trained.network.state_dict().items())


def test_inherited_settings_give_way_to_given_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", "run_dir=found", "seed=4"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final", "seed=5", "space.final.channels=4"]) == 0
    config = json.loads((tmp_path / "final" / "result.json").read_text())
    assert config["seed"] == 5 and config["source"]["seed"] == 4
    assert config["params"] > json.loads((tmp_path / "found" / "result.json").read_text())["params"]


def test_an_architecture_of_another_form_of_the_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", "run_dir=found"]) == 0
    found = source.find("found", Problem("space.nodes=2").space)
    other = source.find("found", Problem("space.nodes=4").space)
    assert found.arch is not None and other.arch is None and other.genotype == found.genotype


def test_a_retrain_as_a_source_passes_its_origin_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=once"]) == 0
    assert cli.run(["retrain", "from=once", "run_dir=twice", "seed=1"]) == 0
    once, twice = (json.loads((tmp_path / run / "result.json").read_text()) for run in ("once", "twice"))
    assert twice["source"] == once["source"] and twice["cost"]["search"] == once["cost"]["search"]


def test_two_searches_that_find_the_same_keep_their_own_retrains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for run, extra in (("a", []), ("b", ["record_every=2"])):  # another signature, the same walk
        assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", f"run_dir={run}", *extra]) == 0
        assert cli.run(["retrain", f"from={run}"]) == 0
    found = [json.loads(p.read_text())["source"]["name"] for p in (tmp_path / "outputs").rglob("result.json")]
    assert sorted(found) == ["a", "b"]


def test_the_table_as_a_data_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    frame = nasctl.table("found", "final")
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert list(frame["method"]) == ["Random search"] and list(frame["params"]) == [result["params"]]


def test_a_random_architecture_is_the_first_of_a_random_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    smoke = ["+experiment=random_search_digits", "+debug=smoke"]
    assert cli.run(["search", *smoke, "seed=3", "run_dir=found"]) == 0
    assert cli.run(["retrain", *smoke, "from=random", "seed=3", "run_dir=by_seed"]) == 0
    assert cli.run(["retrain", *smoke, "from=random:3", "seed=5", "run_dir=by_number"]) == 0
    assert cli.run(["retrain", *smoke, "from=random", "seed=4", "run_dir=other"]) == 0
    first = json.loads((tmp_path / "found" / "trials.jsonl").read_text().splitlines()[0])
    archs = [json.loads((tmp_path / run / "architecture.json").read_text())["arch"] for run in ("by_seed", "by_number")]
    assert archs == [first["arch"]] * 2
    runs = [json.loads((tmp_path / run / "result.json").read_text()) for run in ("by_seed", "by_number", "other")]
    assert [run["source"]["seed"] for run in runs] == [3, 3, 4] and [run["seed"] for run in runs] == [3, 5, 4]
    assert {run["source"]["kind"] for run in runs} == {"random"}
    assert len({run["source"]["signature"] for run in runs}) == 1
    assert runs[0]["params"] == runs[1]["params"] and runs[0]["cost"]["search"] == 0


def test_random_architectures_of_another_size_are_of_the_same_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    smoke = ["retrain", "+experiment=random_search_digits", "+debug=smoke", "from=random"]
    for name, extra in {"a": [], "b": ["space.final.channels=4"], "c": ["space.nodes=3"]}.items():
        assert cli.run([*smoke, *extra, f"run_dir={name}"]) == 0
    a, b, c = (json.loads((tmp_path / run / "result.json").read_text()) for run in "abc")
    assert a["source"]["signature"] == b["source"]["signature"] != c["source"]["signature"]
    assert a["recipe"] == c["recipe"] != b["recipe"]


def test_what_makes_a_training_fast_is_no_part_of_its_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    smoke = ["retrain", "+experiment=random_search_digits", "+debug=smoke", "from=random"]
    for name, extra in {"a": [], "b": ["trainer.channels_last=false"], "c": ["trainer.cutout=0.5"]}.items():
        assert cli.run([*smoke, *extra, f"run_dir={name}"]) == 0
    a, b, c = (json.loads((tmp_path / run / "result.json").read_text()) for run in "abc")
    assert a["signature"] != b["signature"] and a["recipe"] == b["recipe"] != c["recipe"]


def test_random_architectures_keep_to_the_constraint(space: SearchSpace) -> None:
    class Even:
        tries = 100

        def __call__(self, arch: tuple[int, ...]) -> bool:
            return sum(arch) % 2 == 0

        def refusal(self, refused: object) -> RequestError:
            return RequestError("none")

    found = [source.drawn("random", space, Even(), seed) for seed in range(8)]
    assert all(one is not None and one.arch is not None and sum(one.arch) % 2 == 0 for one in found)


@pytest.mark.parametrize("text", ["random:x", "random:", "random:-1"])
def test_a_random_architecture_needs_a_seed(text: str, space: SearchSpace) -> None:
    problem = Problem("space.nodes=4")
    with pytest.raises(RequestError, match=r"is no seed; write random:0, random:1"):
        source.drawn(text, space, Feasible(space, problem.constraint()), 0)


def test_a_run_called_random_is_a_run(space: SearchSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "random").mkdir()
    assert source.drawn("random", space, Feasible(space, Problem().constraint()), 0) is None
    assert source.drawn("DARTS_V2", space, Feasible(space, Problem().constraint()), 0) is None
