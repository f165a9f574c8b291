"""Selection: short trainings on one half, scores on the other, and the best of them."""

import pytest
import torch

from nasctl.errors import RequestError, RunError
from nasctl.genotype_source import Source
from nasctl.search.data import SearchData
from nasctl.search.selection import Selection, check_devices, label_of, listed, total
from tests.small import CPU, Problem, same, through_a_file

STEPS = 3  # of an epoch: 72 images in batches of 32
EPOCHS = 2


def select(problem, archs=(0, 1), state=None, tick=lambda state, values: None, reward=None):
    """Run a selection among architectures; return it and the lines that it wrote, by file."""
    lines = {"history.jsonl": [], "trials.jsonl": []}
    selection = Selection(
        problem.space,
        [problem.space.genotype(problem.arch(arch)) for arch in archs],
        [problem.trainer() for _ in archs],
        SearchData(problem.data),
        reward or problem.reward(),
        CPU,
        0,
        EPOCHS,
        lambda name, line: lines[name].append(dict(line)),
    )
    if state is not None:
        selection.load_state_dict(state)
    selection.run(tick)
    return selection, lines


def test_each_candidate_trains_on_one_half_and_is_scored_on_the_other():
    problem = Problem("trainer.epochs=600")
    select(problem)
    training = [("train", epoch, step) for epoch in range(EPOCHS) for step in range(STEPS)]
    assert problem.data.log == 2 * [*training, *(("val", 0, step) for step in range(STEPS))]


def test_the_final_form_is_trained():
    problem = Problem()
    built, build = [], problem.space.build
    problem.space.build = lambda genotype, form: built.append(form) or build(genotype, form)
    select(problem)
    assert built == ["final", "final"]


@pytest.mark.parametrize("sign, wins", [(1, max), (-1, min)])
def test_the_best_reward_wins(sign, wins):
    selection, lines = select(Problem(), range(3), reward=lambda metrics: sign * metrics["loss"])
    losses = [line["metrics"]["loss"] for line in lines["trials.jsonl"]]
    assert len(set(losses)) == 3 and selection.best() == losses.index(wins(losses))
    assert selection.metrics()["loss"] == wins(losses)


def test_equal_genotypes_score_equally_and_the_first_of_them_wins():
    selection, lines = select(Problem(), (5, 5))
    first, second = lines["trials.jsonl"]
    assert first["metrics"] == second["metrics"] and selection.best() == 0


def test_the_lines_say_which_candidate_they_are_of():
    _, lines = select(Problem())
    assert [(line["candidate"], line["epoch"]) for line in lines["history.jsonl"]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [line["index"] for line in lines["trials.jsonl"]] == [0, 1]


def test_the_ticks_say_where_the_selection_is():
    seen = []
    select(Problem(), tick=lambda state, values: seen.append((values["phase"], round(values["share"], 3))))
    assert seen[2] == ("candidate 1 of 2", 0.25) and seen[-1] == ("candidate 2 of 2", 1.0)
    assert [share for _, share in seen] == sorted(share for _, share in seen)


def test_work_is_that_of_all_epochs_and_validations():
    problem = Problem()
    macs = [problem.space.cost(problem.space.genotype(problem.arch(arch)), "macs") for arch in (0, 1)]
    assert select(problem)[0].work == 72 * (3 * EPOCHS + 1) * sum(macs)


def test_a_candidate_that_diverges_is_recorded_and_never_chosen():
    problem = Problem()
    whole, _ = select(problem, (0, 1))
    trainer, fit = problem.trainer(), 0

    class Breaking:
        def fit(self, *args):
            nonlocal fit
            fit += 1
            trainer.fit(*args)
            if fit == 1 + whole.best():
                args[0].classifier.weight.data.fill_(float("nan"))

        def evaluate(self, *args):
            return trainer.evaluate(*args)

    problem.trainer = Breaking
    selection, lines = select(problem)
    assert selection.best() == 1 - whole.best() and selection.work == whole.work
    broken = lines["trials.jsonl"][whole.best()]
    assert broken["reward"] is None and broken["metrics"] is None and "loss is nan" in broken["error"]


def test_a_selection_in_which_all_diverge_says_why():
    selection, _ = select(Problem("trainer.lr=1e30"))
    with pytest.raises(RunError, match="no candidate could be scored; the last one: training loss is"):
        selection.best()


def test_resumed_at_any_tick_it_ends_as_if_uninterrupted():
    problem, states = Problem("trainer.drop_path=0.3"), []
    whole, lines = select(problem, tick=lambda state, values: states.append(through_a_file(state())))
    assert len(states) == 2 * (EPOCHS * STEPS + 1)
    for done, state in enumerate(states):
        torch.manual_seed(done)
        resumed, rest = select(problem, state=state)
        assert same(resumed.state_dict(), whole.state_dict())
        for name, expected in lines.items():
            assert rest[name] == expected[len(expected) - len(rest[name]) :]
        assert len(rest["history.jsonl"]) == EPOCHS * (2 - len(state["scores"])) - state["ended"]


def source(seed, kind="cpu", label="DARTS", **facts):
    made = {"seed": seed, "device": {"type": kind}, "label": label, "choices": {"strategy": "darts"}}
    made |= {"cost": {"search": 10.0 * seed, "selection": 0.0}, "work": {"search": 100 * seed, "selection": 0}}
    return Source("run", f"run{seed}", {}, None, made | facts)


def test_costs_and_work_are_summed_by_phase():
    assert total([source(1), source(3)], "cost") == {"search": 40.0, "selection": 0.0}
    assert total([source(1), source(3)], "work") == {"search": 400, "selection": 0}
    with pytest.raises(RequestError, match="from: run3 has no record of its work; run that search again"):
        total([source(1), source(3, work=None)], "work")


def test_days_of_different_devices_are_not_added():
    check_devices([source(1), source(2)], CPU)
    with pytest.raises(RequestError, match=r"run2 searched on cuda, here it is cpu.*add device=cuda or leave that"):
        check_devices([source(1), source(2, "cuda")], CPU)


def test_the_label_names_the_method_and_the_number():
    assert label_of([source(1), source(2)]) == "DARTS, best of 2"
    assert label_of([source(1, label=None)]) == "darts, best of 1"


@pytest.mark.parametrize(
    "given, names", [("a", ["a"]), (["a", "b", "a"], ["a", "b"]), (None, None), ([], None), ("", None)]
)
def test_the_listed_runs_count_once(given, names):
    if names is None:
        with pytest.raises(RequestError, match="nothing to start from"):
            listed(given)
    else:
        assert listed(given) == names
