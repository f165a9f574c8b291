"""Names with letters that the grammar of settings reads as something else come through as they are."""

from __future__ import annotations

import random
import shlex
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.command_line.quoting import in_quotes, quoted_text, unquoted
from nasctl.config import compose as config

AWKWARD = ["ö", "日本", "a b", "#a", "a&b", "a;b", "a!b", "a<b>", "it's", 'a"b', "~a", "a=b", "a,b", "[a]", "{a}"]
AWKWARD += ["br(ack)et", "a\\b", "a\\'b", "end\\", "a`b", "a|b", "null", "a@b", "'a'", "-a", "a:b", "*", "%s", " a "]
AWKWARD += ["a$b", "a\tb"]
LETTERS = "ab1 \\'\"#&;!<>~=,()[]{}@:*?|`^%$-_.öß日🙂"


def value_of(text: str) -> object:
    return config._parsed(f"label={text}").value()


@pytest.mark.parametrize("seed", range(200))
def test_any_text_comes_through_quotes(seed: int) -> None:
    draw = random.Random(seed)
    text = "".join(draw.choices(LETTERS, k=draw.randint(1, 12)))
    assert value_of(in_quotes(text)) == text == unquoted(in_quotes(text))


@pytest.mark.parametrize("name", AWKWARD)
def test_an_existing_path_is_meant_whatever_it_looks_like(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    for sweep in (False, True):
        assert value_of(quoted_text(name, sweep)) == name


def test_what_is_no_path_keeps_its_meaning() -> None:
    assert [quoted_text(text, sweep=True) for text in ("a,b", "choice(a,b)", "[a,b]", "'a b'", "null", "a/b.c")] == [
        *("a,b", "choice(a,b)", "[a,b]", "'a b'", "null", "a/b.c")
    ]
    assert quoted_text("ö,b", sweep=True) == "'ö',b"
    assert quoted_text("ö,b", sweep=False) == "'ö,b'"


@pytest.mark.parametrize("name", AWKWARD)
def test_paths_and_labels_are_composed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nasctl.cli import search

    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    given: list[dict] = []
    monkeypatch.setattr(search, "search", given.append)
    words = ["search", "space=toy", f"run_dir={name}", f"paths.data={name}", f"paths.outputs={name}"]
    label = f"l{name}"  # null and lists are no labels
    assert cli.run([*words, f"label={label}"]) == 0
    (found,) = given
    assert [found["run_dir"], found["paths"]["data"], found["paths"]["outputs"]] == [name] * 3
    assert found["label"] == label


@pytest.mark.parametrize("name", ["ö & <x>", "it's #1", "a=b,c", "~x;y!"])
def test_runs_in_awkward_places_are_read_again(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    search = ["search", "+experiment=random_search_digits", "+debug=smoke", f"label={name}"]
    assert cli.run([*search, f"run_dir={name}/run"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: nasctl ")]
    assert cli.run([*shlex.split(line.removeprefix("next: nasctl ")), f"paths.outputs={name}"]) == 0
    assert list((tmp_path / name / "retrain").glob("*/*/result.json"))
    assert cli.run([*search, f"run_dir={name}/run"]) == 0
    assert cli.run(["compare", name]) == 0
    assert name in capsys.readouterr().out.replace("\n", " ")
    assert cli.run(["search", "-m", f"budget.like={name}/run", "strategy=enumeration", "--cfg", "job"]) == 0


def test_open_mappings_take_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nasctl.cli import search as verb

    given: list[dict] = []
    monkeypatch.setattr(verb, "search", given.append)
    search = ["search", "space=darts", "dataset=digits", "strategy=random_search", "estimator=from_scratch"]
    for size in (
        ["estimator.size={channels: 16, layers: 8}"],
        ["estimator.size.channels=16", "estimator.size.layers=8"],
    ):
        assert cli.run([*search, *size]) == 0
        assert given.pop()["estimator"]["size"] == {"channels": 16, "layers": 8}
    table = ["search", "space=nasbench201", "estimator=table", "estimator.file=x", "estimator.architecture=a"]
    table += ["estimator.split=test", "estimator.accuracy=[b]", "estimator.metrics={table_macs: flops}"]
    assert cli.run(table) == 0 and given.pop()["estimator"]["metrics"] == {"table_macs": "flops"}
    against = ["search", "estimator@against=from_scratch", "against.size={channels: 3}"]
    assert cli.run(against) == 0 and given.pop()["against"]["size"] == {"channels": 3}
    enas = ["search", "strategy=enas", "strategy.policy.bias={skip: 0.5}", "strategy.policy.fixed_bias={a: {skip: 1}}"]
    assert cli.run(enas) == 0 and given.pop()["strategy"]["policy"]["fixed_bias"] == {"a": {"skip": 1}}
    assert cli.run([*search, "estimator.sizes={channels: 16}"]) == 2 and not given
    assert cli.run(["search", "space=darts", "space.search={chanels: 16}"]) == 2 and not given
