"""A checkpoint of another kind, or from a stranger, ends a resumed training in one sentence, before its first step."""

import random
from copy import deepcopy

import pytest
import torch

from nasctl.errors import StateError, TrialError
from tests.small import Problem, through_a_file, train

OVERRIDES = {
    "classifier": ("trainer.held_out=0.2", "trainer.keep=best", "trainer.ema_decay=0.5", "trainer.epochs=2"),
    "language": ("trainer.averaging=true", "trainer.patience=1", "trainer.keep=best", "trainer.epochs=2"),
}
VALUES = (None, True, "x", -1, 1.5, 10**30, [], {}, [1], {"a": 1}, float("nan"), torch.zeros(0), torch.zeros(2, 3, 5))


def problem_of(name):
    return Problem(*OVERRIDES[name], **({"estimator": "language"} if name == "language" else {}))


@pytest.fixture(scope="module", params=OVERRIDES)
def resumed(request):
    """Return a problem, the state in the middle of its last epoch, and what resumes from a state."""
    problem, states = problem_of(request.param), []
    fit = {"choose_by": problem.data.val(), "epochs": 2}
    train(problem, **fit, tick=lambda state, values: states.append(through_a_file(state())))
    return problem, states[-2], lambda state: train(problem, **fit, state=state)


def places(node, path=()):
    """Yield the path of every value in a state, of lists the first and last."""
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list | tuple) and node:
        items = {0: node[0], len(node) - 1: node[-1]}.items()
    for key, value in items:
        yield from places(value, (*path, key))


def put(node, path, change):
    """Return ``node`` with what stands at ``path`` changed."""
    key, *rest = path
    found = dict(node) if isinstance(node, dict) else list(node)
    if rest:
        found[key] = put(found[key], rest, change)
    else:
        change(found, key)
    return tuple(found) if isinstance(node, tuple) else found


def delete(found, key):
    del found[key]


def setting(value):
    def change(found, key):
        found[key] = value

    return change


def growing(found, key):
    value = found[key]
    found[key] = torch.cat([value, value]) if isinstance(value, torch.Tensor) and value.dim() else [value, value]


def test_the_state_itself_goes_on(resumed):
    _, state, resume = resumed
    resume(deepcopy(state))


NAMED = [
    (("model",), delete),
    (("model",), setting({})),
    (("model",), setting([1, 2])),
    (("optimizer",), delete),
    (("optimizer", "param_groups"), setting([])),
    (("optimizer", "param_groups", 0, "weight_decay"), setting(1e9)),  # would be taken up in silence
    (("optimizer", "param_groups", 0, "lr"), setting("x")),
    (("optimizer", "state"), setting({0: {"momentum_buffer": torch.zeros(1)}})),  # would be broadcast
    (("optimizer", "state"), setting({10**6: {}})),
    (("precision",), setting(None)),
    (("average",), setting({"weights": {}})),
    (("best", "score"), setting(("x", 1))),
    (("best", "weights"), setting({"a": torch.zeros(3)})),
    (("best", "more"), setting(1)),
    (("held_out",), setting({"loss": "x"})),
    (("position",), setting("3")),
    (("position",), setting(-1)),
    (("measured",), setting([])),
    (("measured", 0), setting({"loss": torch.zeros(3)})),
    (("measured", 0), setting({"losses": torch.zeros(())})),
    (("measured", 0, "loss"), setting(1.0)),
    (("examples", 0), setting("x")),
    (("examples", 0), setting(0)),
    (("examples",), growing),
]


@pytest.mark.parametrize(("path", "change"), NAMED)
def test_states_of_no_such_training_are_refused(resumed, path, change):
    _, state, resume = resumed
    with pytest.raises(StateError):
        resume(put(state, path, change))


@pytest.mark.parametrize("state", [{}, [], "x", 7, {"model": None}], ids=str)
def test_what_is_no_state_is_refused(resumed, state):
    _, _, resume = resumed
    with pytest.raises(StateError):
        resume(state)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("position",), 10**6),
        (("epoch",), 3),
        (("epoch",), "x"),
        (("step",), 10**6),  # would never end the epoch
        (("step",), 0),
        (("hidden",), None),
        (("hidden",), {"a": 1}),
        (("hidden", 0), torch.zeros(1, 1)),
        (("hidden", 0), [torch.zeros(2)]),
        (("losses",), ["x"]),
        (("rolled_back",), 1),
        (("perplexity",), []),
    ],
)
def test_places_that_are_none_are_refused(resumed, path, value):
    _, state, resume = resumed
    if path[0] not in state or (path == ("position",) and "epoch" in state):
        return
    with pytest.raises(StateError):
        resume(put(state, path, setting(value)))


def mutated(state, draw):
    change = draw.choice([delete, growing, *map(setting, VALUES)])
    path = draw.choice(list(places(state)))
    try:
        return put(state, path, change)
    except (TypeError, RuntimeError):  # what cannot be changed so
        return state


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, 600), marks=pytest.mark.slow)])
def test_no_mutated_state_is_a_traceback(resumed, seeds):
    _, state, resume = resumed
    refused = 0
    for seed in seeds:
        try:
            resume(mutated(state, random.Random(seed)))
        except (StateError, TrialError):
            refused += 1
    assert refused > len(seeds) / 2
