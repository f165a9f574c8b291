"""What a command takes over from a run's settings, and what it refuses or leaves out."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml

from nasctl.config.build import target
from nasctl.config.compose import _override
from nasctl.config.inheritance import Inherited, from_config, from_overrides, literal
from nasctl.config.settings import OWN, conf_dir
from nasctl.config.targets import TARGET, is_address, leaves
from nasctl.errors import RequestError

CONF = (conf_dir(),)
PLAIN = [
    "+experiment=darts_digits",
    "+experiment=tabnas_table1/rejection",
    "+debug=smoke",
    "space=darts",
    "constraint=null",
    "estimator@against=nasbench201_table",
    "space.search={channels: 2, layers: 2}",
    "++dataset.limit_train=64",
    "++threads=null",
    "~strategy.bias.skip_connect",
    "label='DARTS (first order), a=b'",
    "label=DARTS-PT",
    "seed=int(3)",
    "constraint.limits={params: 41153, macs: 8e4}",
    "estimator.accuracy=[cifar100/x-test/90/777, b]",
    "estimator.metrics={table_macs: flops}",
    '++dataset.separator="\t"',
    "trainer.held_out=0.1",
    "+experiment=[darts_digits]",
]
REFUSED = [
    "--experimental-rerun=/tmp/x.pickle",
    "--config-dir=/tmp",
    "-m",
    "--multirun",
    "-cd=/tmp",
    "@file",
    "",
    " space=darts",
    "hydra.run.dir=/tmp/x",
    "hydra/launcher=joblib",
    "+hydra.callbacks.x._target_=os.system",
    "hydra.searchpath=[file:///tmp]",
    "label=${oc.env:HOME}",
    "label='a${oc.env:HOME}b'",
    'label="\\${oc.env:HOME}"',
    "+x=[1, {a: '${oc.env:HOME}'}]",
    "+x={'${oc.env:HOME}': 1}",
    "trainer.epochs=${budget.epochs}",
    "space._target_=shutil.rmtree",
    "++space.x={_target_: shutil.rmtree}",
    "++space.x=[{_partial_: true}]",
    "+space._args_=[1]",
    "space=../../x",
    "space=/etc/passwd",
    "space=../space/darts",
    "space=darts/../darts",
    "space=nowhere",
    "space=[darts, ../x]",
    "space=1",
    "space=''",
    "estimator@space=table",
    "space@strategy.x=darts",
    "nogroup/x=y",
    "seed=0,1",
    "seed=choice(0,1)",
    "seed=range(0,3)",
    "label=glob(*)",
    "seed=sort(3,1)",
    "~seed",
    "~space",
    "budget=1",
    "published=x",
    "label=[a, b]",
    "label='a\nb'",
    "label='\x1b[31m'",
    "label='\u202ex'",
    "seed=" + "9" * 5000,
    "x=" + "[" * 100 + "]" * 100,
    "x=" + "9" * 30_000,
    "a=b=(",
    "space",
]


def of(folder: Path, *lines: Any, given: tuple[str, ...] = (), conf: tuple[Path, ...] = CONF) -> Inherited:
    """Return what a run with these lines hands on."""
    (folder / "overrides.yaml").write_text(yaml.safe_dump(list(lines)))
    return from_overrides(folder, given, OWN, _override, conf)


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_setting_is_taken_over_as_it_stands(line: str, tmp_path: Path) -> None:
    assert of(tmp_path, line) == Inherited([line])


@pytest.mark.parametrize("line", REFUSED)
def test_a_line_that_is_no_plain_setting_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError) as refused:
        of(tmp_path, "seed=0", line)
    (sentence,) = str(refused.value).splitlines()
    assert sentence.startswith(f"{tmp_path}/overrides.yaml: ") and sentence.isprintable()
    assert "give" in sentence or "remove" in sentence


def test_what_is_given_today_and_what_is_a_runs_own_is_not_read(tmp_path: Path) -> None:
    own = ["from=x", "run_dir=/etc", "resume=must", "paths.outputs=/etc", "checkpoint.seconds=0", "budget.like=/x"]
    lines = ["label=${oc.env:HOME}", "space=../x", "seed=1"]
    assert of(tmp_path, *own, *lines, given=("label", "space")) == Inherited(["seed=1"])


@pytest.mark.parametrize("content", ["a: b", "5", "- 5", "- {a: b}", "- 2024-01-01", "a: [", "\x00", "[" * 5000])
def test_what_is_no_list_of_lines_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "overrides.yaml").write_text(content)
    with pytest.raises(RequestError, match=r"overrides\.yaml: "):
        from_overrides(tmp_path, (), OWN, _override, CONF)


def test_a_choice_of_the_users_own_needs_its_folder(tmp_path: Path) -> None:
    (tmp_path / "conf" / "space").mkdir(parents=True)
    (tmp_path / "conf" / "space" / "my-own.yaml").write_text("defaults: [darts, _self_]\n")
    assert of(tmp_path, "space=my-own", conf=(*CONF, tmp_path / "conf")).lines == ["space=my-own"]
    with pytest.raises(RequestError, match="--config-dir=DIR"):
        of(tmp_path, "space=my-own")


@pytest.mark.parametrize(
    "line, key, value",
    [
        ("paths.data=/victim", "paths.data", "/victim"),
        ("paths={data: /victim}", "paths.data", "/victim"),
        ("++dataset.cache=/victim", "dataset.cache", "/victim"),
        ("dataset.folder=../x", "dataset.folder", "../x"),
        ("dataset.file=mine.txt", "dataset.file", "mine.txt"),
        ("+dataset.download=true", "dataset.download", True),
        ("estimator.root=.", "estimator.root", "."),
        ("estimator.file=mine.csv", "estimator.file", "mine.csv"),
        ("+against.file=x.csv", "against.file", "x.csv"),
        ("+space.weights_path=x", "space.weights_path", "x"),
        ("+dataset.options={cache_dir: x}", "dataset.options.cache_dir", "x"),
        ("+dataset.url='http://x/y'", "dataset.url", "http://x/y"),
    ],
)
def test_an_address_is_left_out_and_noted(line: str, key: str, value: Any, tmp_path: Path) -> None:
    found = of(tmp_path, line, "seed=1")
    assert found == Inherited(["seed=1"], {key: value})
    (note,) = found.notes("RUN", {}.get, ())
    assert note.startswith("note: RUN: ") and f"add {key}=" in note.replace("'", "")
    assert not found.notes("RUN", {key: value}.get, ()) and not found.notes("RUN", {}.get, (key.split(".")[0],))


def test_a_note_is_safe_to_paste(tmp_path: Path) -> None:
    found = Inherited([], {"paths.data": "/x; rm -rf ~ '\n\x1b[2J"})
    (note,) = found.notes("a\x1bb", {}.get, ())
    assert note.isprintable() and "'paths.data=/x; rm -rf ~ '\"'\"'" in note


def targets() -> dict[str, str]:
    """Return a setting's place for each class that conf/ names: ``dataset.`` by class."""
    files = [f for f in conf_dir().glob("*/*.yaml") if TARGET in f.read_text()]
    return {yaml.safe_load(file.read_text())[TARGET]: file.parent.name for file in files}


def test_every_path_that_a_constructor_takes_is_an_address() -> None:
    found = set()
    for name, group in targets().items():
        cls = target({TARGET: name})
        hints = get_type_hints(cls.__init__)
        for key, parameter in inspect.signature(cls.__init__).parameters.items():
            if parameter.kind == parameter.KEYWORD_ONLY:
                named = is_address(f"{group}.{key}", "x") and hints[key] is not float
                assert named or not re.search(r"\bPath\b", str(hints[key])), f"{name} takes the path {key}"
                found |= {f"{group}.{key}"} if named else set()
    assert found == {f"dataset.{key}" for key in ("file", "cache", "folder", "download")} | {
        f"estimator.{key}" for key in ("root", "file")
    }


def test_no_other_setting_counts_as_an_address() -> None:
    named = set()
    for file in conf_dir().rglob("*.yaml"):
        content = {
            key: value for key, value in yaml.safe_load(file.read_text()).items() if key not in ("defaults", "hydra")
        }
        named |= {key.split(".")[-1] for key, value in leaves(content, "") if is_address(key, value)}
    assert named == {"data", "outputs", "root", "file", "folder", "download"}


def config(**changes: Any) -> dict[str, Any]:
    """Return the part of a run's configuration that another one takes over."""
    made = {"choices": {"space": "darts", "dataset": "ptb"}, "threads": 1, "space": {TARGET: "x", "nodes": 4}}
    return made | {"dataset": {TARGET: "y", "folder": "mine", "bptt": 3, "lengths": {"half": 0.5}}} | changes


def like(folder: Path, content: Any, given: tuple[str, ...] = ()) -> Inherited:
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    return from_config(folder, given, ("space", "dataset", "trainer"), CONF)


def test_a_search_like_a_run_takes_plain_values(tmp_path: Path) -> None:
    found = like(tmp_path, config(), given=("dataset.bptt",))
    settings = ["++space.nodes=4", "++dataset.lengths.half=0.5", "++threads=1"]
    assert found == Inherited(["space=darts", "dataset=ptb", *settings], {"dataset.folder": "mine"})


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": {"space": "../../x"}},
        {"choices": {"space": "nowhere"}},
        {"choices": {"space": 5}},
        {"choices": [1]},
        {"space": 5},
        {"space": {"nodes": "${oc.env:HOME}"}},
        {"space": {"nodes": ["x${oc.env:HOME}"]}},
        {"space": {"_partial_": True}},
        {"space": {"a=b": 1}},
        {"space": {"nodes,x": 1}},
        {"space": {"": 1}},
        {"space": {"x": [{"_target_": "os.system"}]}},
        {"space": {"nodes": "\x1b"}},
        {"threads": "many"},
    ],
)
def test_a_search_like_a_run_takes_nothing_else(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"config\.yaml: "):
        like(tmp_path, config(**changes))


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -2.5, 1e-8, "a b", "", 'q"z', "back\\", '\\"', "a\\tb", "a\tb", "ü, ö: {x}", [1, "a,b", [None]],
     {}, [{"a": "b c"}], "null", "1", "a=b"],
)  # fmt: skip
def test_a_literal_is_read_as_it_was(value: Any) -> None:
    assert _override(f"++x={literal(value)}").value == value


def test_a_search_like_a_run_takes_the_parts_of_its_choices(tmp_path: Path) -> None:
    """A part's class comes from a choice of today, such as trainer/schedule=linear; its settings from the run."""
    node = {"_target_": "nasctl.trainer.classifier.Classifier", "schedule": {"lr_min": 0.5}}
    node["schedule"] |= {"_target_": "nasctl.trainer.schedule.linear.Linear"}
    config = {"choices": {"trainer": "classifier"}, "trainer": node, "threads": 1}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    lines = from_config(tmp_path, (), ("trainer",), CONF).lines
    assert lines[:2] == ["trainer=classifier", "trainer/schedule=linear"]
    assert "++trainer.schedule.lr_min=0.5" in lines
    given = from_config(tmp_path, ("trainer/schedule",), ("trainer",), CONF).lines
    assert "trainer/schedule=linear" not in given
