"""Small searches from end to end: the same twice, blind to the test split, whole when candidates break."""

import ast
import gc
import math
import re
import weakref
from pathlib import Path

import pytest
import torch

import nasctl
from nasctl.errors import RunError
from nasctl.search.budget import Budget
from nasctl.search.data import SearchData
from nasctl.search.loop import Search
from tests.marked import slow
from tests.small import Problem, same, serial


def test_a_search_cannot_reach_the_test_split():
    problem = Problem()
    data = SearchData(problem.data)
    with pytest.raises(AttributeError, match="'SearchData' object has no attribute 'test'"):
        data.test()
    assert not hasattr(data, "test") and problem.data.log == []
    assert len(data.train()) == len(data.val()) == 72 and data.task is problem.data.task


RELAXED = ("strategy=darts", "budget.epochs=1")
SEARCHES = {
    "first_order": ("supernet", "strategy=darts", "budget.epochs=2"),
    "second_order": ("supernet", *RELAXED, "estimator/unroll=exact"),
    "single_level": ("supernet", *RELAXED, "estimator.bilevel=false"),
    "shared_weights": ("supernet", "budget.trials=5", "budget.epochs=2", "estimator.val_batches=null"),
    "from_scratch": ("from_scratch", "budget.trials=3"),
    "evolution": (
        "from_scratch", "strategy=regularized_evolution", "strategy.population_size=2",
        "strategy.parent_selection.sample_size=2", "budget.trials=4",
    ),
}  # fmt: skip


def quiet(state, values):
    """A tick that does nothing."""


def small_search(estimator, *overrides, seed=0):
    """Return a small problem, a search over it built as the command does, and the list of recorded lines."""
    problem, lines = Problem(f"seed={seed}", *overrides, estimator=estimator), []
    estimator = problem.estimator(SearchData(problem.data), seed)
    budget = Budget(**{name: limit for name, limit in problem.config["budget"].items() if name != "like"})
    parts = (problem.space, problem.strategy(seed), estimator, serial(estimator), problem.reward(), budget)
    record_every = problem.config["record_every"]
    search = Search(*parts, lambda name, line: lines.append(line), resources=(), record_every=record_every)
    return problem, search, lines


def whole_search(*choice, seed=0):
    """Run a small search to its end; return the problem, the recorded lines and the last state."""
    problem, search, lines = small_search(*choice, seed=seed)
    search.run(quiet)
    search.score(search.strategy.derive(), lines)
    return problem, lines, search.state_dict()


@pytest.mark.parametrize("name", slow(SEARCHES, "first_order", "single_level", "from_scratch"))
def test_the_same_seed_gives_the_same_search_and_none_touches_the_test_split(name):
    first, lines, state = whole_search(*SEARCHES[name])
    torch.manual_seed(99)
    _, again, state_again = whole_search(*SEARCHES[name])
    assert lines == again and same(state, state_again) and lines
    read = {entry if isinstance(entry, str) else entry[0] for entry in first.data.log}
    assert read <= {"train", "val", "full"} and read


@pytest.mark.parametrize("strategy", ["local_search", "bayesian", "tpe"])
def test_methods_for_black_boxes_search_by_shared_weights(strategy):
    first = () if strategy == "local_search" else ("strategy.initial=2",)
    _, lines, state = whole_search("supernet", f"strategy={strategy}", "budget.trials=5", "budget.epochs=2", *first)
    assert len(lines) == 5 and all(math.isfinite(line["metrics"]["loss"]) for line in lines)
    assert state["estimator"]["schedule"]["position"] > 0 and len({tuple(line["arch"]) for line in lines}) > 1


def test_another_seed_gives_another_search():
    (_, first, _), (_, second, _) = (whole_search(*SEARCHES["from_scratch"], seed=seed) for seed in (0, 1))
    assert all(a["metrics"] != b["metrics"] for a, b in zip(first, second, strict=True))


def test_a_spent_budget_of_epochs_is_as_many_trials_as_weight_steps():
    _, lines, state = whole_search(*SEARCHES["first_order"])
    assert len(lines) == state["spent"]["trials"] == state["estimator"]["schedule"]["position"] == 2 * 3


def test_a_search_keeps_no_graph():
    _, search, _ = small_search(*SEARCHES["second_order"])
    losses, alive, tell = [], [], search.strategy.tell

    def telling(trial):
        losses.append(weakref.ref(trial.evaluation.loss))
        tell(trial)

    def tick(state, values):
        gc.collect()
        alive.append(sum(loss() is not None for loss in losses))

    search.strategy.tell = telling
    search.run(tick)
    assert alive == [1] * 3  # the trial that was just told, and no other


def test_candidates_whose_loss_is_no_number_are_failed_trials_that_name_the_step():
    _, search, lines = small_search("from_scratch", "budget.trials=3", "trainer.lr=1e30")
    search.run(quiet)
    assert [line["index"] for line in lines] == [0, 1, 2]
    assert all(re.search(r"loss is (nan|inf) at step [12];", line["error"]) for line in lines)
    with pytest.raises(RunError, match="no trial has succeeded"):
        search.strategy.derive()


def test_shared_weights_that_break_end_the_search_and_name_the_step():
    _, search, lines = small_search(*SEARCHES["first_order"], "estimator.optimizer.lr=1e30")
    with pytest.raises(RunError, match=r"validation loss is (nan|inf) at step [1-5];"):
        search.run(quiet)
    assert lines and all(math.isfinite(line["metrics"]["loss"]) for line in lines)


def test_only_retrain_asks_for_the_test_split():
    package = Path(nasctl.__file__).parent
    outside = [path for path in package.rglob("*.py") if "dataset" not in path.relative_to(package).parts]
    asking = {path.name for path in outside if calls_test(ast.parse(path.read_text()))}
    assert len(outside) > 10 and asking == {"retrain.py"}


def calls_test(tree):
    """Return whether a piece of code has ``something.test`` or the name of it as a string of its own."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "test")
        or (isinstance(node, ast.Call) and any(names_test(argument) for argument in node.args[1:2]))
        for node in ast.walk(tree)
    )


def names_test(node):
    return isinstance(node, ast.Constant) and node.value == "test"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("data.test()", True),
        ("f = data.test", True),
        ("getattr(data, 'test')", True),
        ("data.train()", False),
    ],
)
def test_the_look_for_callers_finds_them(text, expected):
    assert calls_test(ast.parse(text)) is expected
