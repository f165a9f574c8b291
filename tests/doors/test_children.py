"""Children that continue the training of an earlier trial, or inherit its weights: loop, records, resume, deletion."""

from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.errors import Interrupted
from nasctl.runs.children import Children
from nasctl.runs.tensors import load
from nasctl.search.loop import Search
from tests.doors.test_walks import CONF, records
from tests.small import same as equal

SMALL = ["dataset=breast_cancer", "space=ffn", "space.widths=[4,6]", "trainer=ffn", "trainer.batch_size=64"]
SHORT = [*SMALL, "estimator.epochs=4", "estimator.validate_every=1"]
SEARCH = ["search", "--config-dir", str(CONF), *SHORT, "estimator=from_scratch", "threads=1", "checkpoint.seconds=0"]
CHILDREN = {"halving": (7, "continues"), "heirs": (6, "inherits")}


def search(name, folder, *more):
    return cli.run([*SEARCH, f"strategy={name}", f"budget.trials={CHILDREN[name][0]}", f"run_dir={folder}", *more])


@pytest.mark.parametrize(("owner", "method", "at"), [(Children, "save", 5), (Search, "_retain", 6)])
@pytest.mark.parametrize("name", CHILDREN)
def test_children_are_searched_recorded_and_resumed(name, owner, method, at, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert search(name, "whole") == 0
    calls, whole = [], getattr(owner, method)

    def stop(self, *arguments):
        calls.append(whole(self, *arguments))
        if len(calls) == at:
            raise Interrupted(15)

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, stop)
        assert search(name, "halved") == 143
    assert search(name, "halved") == 0
    assert records(Path("halved")) == records(Path("whole"))
    trials, _ = records(Path("whole"))
    assert len(trials) == CHILDREN[name][0] and CHILDREN[name][1] in trials[-1]
    assert name != "heirs" or all(trial["facts"]["inherited_tensors"] > 0 for trial in trials[1:])
    assert {int(path.stem) for path in Path("whole/children").glob("*.pt")} < set(range(len(trials)))


def test_a_promoted_child_ends_as_one_that_was_never_stopped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert search("halving", "halved") == search("halving", "whole", "strategy.fidelity=1") == 0
    (parts, _), (whole, _) = records(Path("halved")), records(Path("whole"))
    last = first = parts[-1]
    while "continues" in first:
        first = parts[first["continues"]]
    same = whole[first["index"]]
    assert (first["fidelity"], last["fidelity"], len(whole)) == (0.25, 1, 4) and last["arch"] == same["arch"]
    assert (last["metrics"], last["curve"]) == (same["metrics"], same["curve"]) and len(last["curve"]) == 4
    states = [load(Path(run, "children", f"{index}.pt")) for run, index in (("halved", 6), ("whole", first["index"]))]
    assert equal(*(state["training"] for state in states))
