"""The loop, on stubs: what is called in which order, what ends it, and what is recorded."""

import json
import math

import pytest
import torch

from nasctl.core import SKIPPED, Candidate, Evaluation, Trial
from nasctl.errors import ExhaustedError, RequestError, RunError, TrialError
from nasctl.search.budget import Budget
from nasctl.search.feasible import Feasible
from nasctl.search.loop import Search, entropy, trial_line
from tests.small import same, serial, through_a_file


class Space:
    """A space of one decision of ten options, which is its own format."""

    @property
    def format(self):
        return self

    def genotype(self, arch):
        return {"option": arch[0]}

    def notation(self, genotype):
        return f"option {genotype['option']}"

    def features(self, genotype):
        return {"skip_connections": genotype["option"]}

    def cost(self, genotype, name):
        return {"params": 100, "macs": 1000}[name] * (1 + genotype["option"])


class Counting:
    """A strategy that asks for 0, 1, 2, ...; it notes every call in ``log``, and on a pause asks nothing."""

    def __init__(self, log, pauses=()):
        self.log, self.pauses, self.asked = log, list(pauses), 0

    def sample(self):
        self.log.append("sample")
        return Candidate((0,))

    def ask(self):
        if self.asked in self.pauses:
            self.pauses.remove(self.asked)
            self.log.append("pause")
            return SKIPPED
        self.asked += 1
        self.log.append("ask")
        return Candidate((self.asked - 1,))

    def tell(self, trial):
        self.log.append(trial)

    def state_dict(self):
        return {"asked": self.asked}

    def load_state_dict(self, state):
        self.asked = state["asked"]


class Scoring:
    """An estimator whose accuracy is the option over ten; ``fails`` names options that raise ``error``."""

    error_kind = "proxy"

    def __init__(self, log, fails=(), error=TrialError, epochs_a_fit=0.0, work_a_trial=0):
        self.log, self.fails, self.error, self.epochs_a_fit = log, fails, error, epochs_a_fit
        self.epoch, self.work_a_trial = 0.0, work_a_trial

    def fit(self, sample):
        self.log.append("fit")
        self.epoch += self.epochs_a_fit

    def score(self, candidate):
        return {}

    def spent(self):
        return self.epoch, 0

    def evaluate(self, candidate, index):
        self.log.append("evaluate")
        if candidate.arch[0] in self.fails:
            raise self.error(f"option {candidate.arch[0]} broke at step 7")
        metrics = {"accuracy": candidate.arch[0] / 10, "loss": 1.0, "error": 50.0}
        return Evaluation(metrics, work=self.work_a_trial)

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]


class Doubled:
    """A reward of twice the accuracy, less the costs that it reads."""

    def __init__(self, resources):
        self.resources = resources

    def __call__(self, metrics):
        return 2 * metrics["accuracy"] - sum(metrics[name] for name in self.resources)


def stub_search(*, trials=None, epochs=None, work=None, record_every=1, pauses=(), resources=(), **scoring):
    """Return a search over stubs, the log of all calls, and the list of recorded lines."""
    log, lines = [], []

    def append(name, line):
        assert name == "trials.jsonl"
        lines.append(json.loads(json.dumps(line, allow_nan=False)))

    estimator, budget = Scoring(log, **scoring), Budget(trials=trials, epochs=epochs, work=work)
    parts = (Space(), Counting(log, pauses), estimator, serial(estimator), Doubled(resources), budget, append)
    return Search(*parts, resources=resources, record_every=record_every), log, lines


def quiet(state, values):
    """A tick that does nothing."""


def test_each_trial_is_fit_ask_evaluate_tell():
    search, log, lines = stub_search(trials=2)
    search.run(quiet)
    first, second = log[3], log[7]
    assert log == ["fit", "ask", "evaluate", first, "fit", "ask", "evaluate", second]
    metrics = {"accuracy": 0.1, "loss": 1.0, "error": 50.0}
    assert second == Trial(1, Candidate((1,)), Evaluation(metrics), reward=0.2)
    assert lines[1] == {
        "index": 1, "arch": [1], "relaxed": False, "reward": 0.2, "metrics": metrics, "error": None,
    }  # fmt: skip


def test_a_trial_is_told_and_recorded_before_the_tick():
    search, log, lines = stub_search(trials=3)
    seen = []
    search.run(lambda state, values: seen.append((len(lines), isinstance(log[-1], Trial), state()["spent"]["trials"])))
    assert seen == [(1, True, 1), (2, True, 2), (3, True, 3)]


@pytest.mark.parametrize(
    "budget, trials",
    [
        ({"trials": 4}, 4),
        ({"epochs": 1.0}, 3),  # a fit is a quarter of an epoch, and the fourth reaches the end
        ({"trials": 2, "epochs": 1.0}, 2),
        ({"trials": 9, "epochs": 0.5}, 1),
        ({"work": 200}, 2),
        ({"work": 201}, 3),  # the trial that reaches the limit is the last
        ({"trials": 4, "work": 10_000}, 4),
    ],
)
def test_the_first_budget_to_be_spent_ends_the_search(budget, trials):
    search, _, lines = stub_search(**budget, epochs_a_fit=0.25, work_a_trial=100)
    search.run(quiet)
    assert len(lines) == search.trials == trials


@pytest.mark.parametrize(
    "trials, epochs, work, share",
    [
        (10, None, None, 0.3),
        (None, 8.0, None, 0.25),
        (None, None, 800, 0.5),
        (10, 8.0, 2000, 0.3),
        (60, 8.0, 2000, 0.25),
        (3, None, None, 1.0),
    ],
)
def test_the_share_of_a_budget_is_that_of_the_one_spent_most(trials, epochs, work, share):
    assert Budget(trials=trials, epochs=epochs, work=work).share(3, 2.0, work=400) == pytest.approx(share)


def test_a_budget_of_work_that_nothing_uses_is_refused():
    search, _, lines = stub_search(work=200)
    with pytest.raises(RequestError, match=r"budget\.work: this estimator trains and runs no network"):
        search.run(quiet)
    assert len(lines) == 1


def test_a_turn_may_ask_for_nothing():
    search, log, lines = stub_search(trials=2, pauses=[1, 1])
    search.run(quiet)
    assert log.count("pause") == 2 and log.count("fit") == 4 and len(lines) == 2


def test_a_strategy_that_has_asked_for_all_ends_the_search(monkeypatch):
    search, log, lines = stub_search(trials=9)
    ask = search.strategy.ask

    def three_times():
        if search.trials == 3:
            raise ExhaustedError
        return ask()

    monkeypatch.setattr(search.strategy, "ask", three_times)
    search.run(quiet)
    assert len(lines) == search.trials == 3 and log[-1] == "fit"


def test_every_kth_trial_is_recorded_and_every_failed_one():
    search, _, lines = stub_search(trials=8, record_every=3, fails=(3, 4))
    search.run(quiet)
    assert [line["index"] for line in lines] == [0, 3, 4, 6] and search.trials == 8


def test_a_failed_trial_is_told_recorded_and_not_the_end():
    search, log, lines = stub_search(trials=3, fails=(1,))
    seen = []
    search.run(lambda state, values: seen.append(values))
    told = [entry for entry in log if isinstance(entry, Trial)]
    assert [trial.error for trial in told] == [None, "option 1 broke at step 7", None]
    assert told[1].evaluation is None and told[1].reward is None
    assert lines[1] == {
        "index": 1, "arch": [1], "relaxed": False, "reward": None, "metrics": None,
        "error": "option 1 broke at step 7",
    }  # fmt: skip
    assert [values["error"] for values in seen] == [50.0, None, 50.0]


@pytest.mark.parametrize("error", [RunError, RequestError, ZeroDivisionError])
def test_an_error_that_is_not_the_candidates_ends_the_search(error):
    search, _, lines = stub_search(trials=3, fails=(1,), error=error)
    with pytest.raises(error):
        search.run(quiet)
    assert len(lines) == 1


def test_the_tick_shows_where_the_search_is():
    search, _, _ = stub_search(trials=4, epochs_a_fit=0.5)
    seen = []
    search.run(lambda state, values: seen.append(values))
    assert seen[1].pop("entropy")() is None
    assert seen[1] == {
        "phase": "search", "share": 0.5, "trial": 1, "epoch": 1.0, "loss": 1.0, "error": 50.0,
        "skip_connections": 1,
    }  # fmt: skip


def test_a_search_resumed_at_any_tick_goes_on_as_it_would():
    whole, _, expected = stub_search(trials=6, fails=(2,), epochs_a_fit=0.25)
    states = []
    whole.run(lambda state, values: states.append(through_a_file(state())))
    for done, state in enumerate(states, start=1):
        search, _, lines = stub_search(trials=6, fails=(2,), epochs_a_fit=0.25)
        search.load_state_dict(state)
        search.run(quiet)
        assert lines == expected[done:] and same(search.state_dict(), whole.state_dict())


def test_a_finished_search_that_is_resumed_takes_no_further_step():
    search, log, _ = stub_search(trials=2, epochs_a_fit=0.25)
    search.run(quiet)
    done, steps = through_a_file(search.state_dict()), len(log)
    search.run(quiet)
    assert same(search.state_dict(), done) and len(log) == steps


@pytest.mark.parametrize("resources, expected", [((), 0.4), (("params",), 0.4 - 300), (("macs", "params"), 0.4 - 3300)])
def test_a_reward_sees_the_costs_that_it_reads_and_the_record_shows_them(resources, expected):
    search, log, lines = stub_search(trials=3, resources=resources)
    search.run(quiet)
    costs = {name: {"params": 300, "macs": 3000}[name] for name in resources}
    assert lines[2]["reward"] == log[11].reward == expected
    assert lines[2]["metrics"] == {"accuracy": 0.2, "loss": 1.0, "error": 50.0}
    assert lines[2].get("costs", {}) == log[11].costs == costs
    assert search.score((2,), []) == search.score((2,), lines) == lines[2]["metrics"] | costs
    [old] = [{**line, "metrics": line["metrics"] | costs, "costs": {}} for line in lines[2:]]  # as 0.1.0 wrote it
    assert search.score((2,), [old]) == search.score((2,), lines)


def told(arch, reward, *, relaxed=False, error=None):
    metrics = {"accuracy": reward / 2}
    return {"arch": list(arch), "reward": reward, "relaxed": relaxed, "error": error, "metrics": metrics}


def test_a_score_is_that_of_the_best_trial_of_the_architecture():
    search, log, _ = stub_search(trials=1)
    lines = [told((3,), 0.4), told((3,), 0.6), told((4,), 0.9), told((3,), 0.5)]
    assert search.score((3,), lines) == {"accuracy": 0.3} and "evaluate" not in log


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [told((4,), 0.9)],
        [told((3,), 0.9, relaxed=True)],
        [{"arch": [3], "reward": None, "relaxed": False, "error": "broke", "metrics": None}],
    ],
)
def test_an_architecture_that_was_never_scored_is_scored_now(lines):
    search, log, _ = stub_search(trials=1)
    assert search.score((3,), lines)["accuracy"] == 0.3 and log == ["evaluate"]


def test_a_line_of_a_relaxed_trial_holds_plain_data():
    weights = [torch.tensor([0.5, 0.5], requires_grad=True)]
    loss = weights[0].sum()
    trial = Trial(5, Candidate((1, 0), weights), Evaluation({"loss": 1.0}, loss), reward=0.25)
    line = trial_line(trial)
    assert line["relaxed"] is True and line["arch"] == [1, 0]
    assert json.loads(json.dumps(line)) == line


def test_entropy_is_the_mean_over_the_rows_in_nats():
    rows = [torch.tensor([0.25] * 4, requires_grad=True), torch.tensor([1.0, 0.0])]
    assert entropy(Candidate((), rows)) == pytest.approx(math.log(4) / 2)
    assert entropy(Candidate((0,))) is None


class Below:
    """A constraint that accepts options below five."""

    tries = 17

    def __call__(self, genotype):
        return genotype["option"] < 5

    def refusal(self, refused):
        return RequestError(f"refused {list(refused)}")


def test_feasible_asks_the_constraint_about_genotypes():
    feasible = Feasible(Space(), Below(), lambda arch: True)
    assert feasible.tries == 17 and feasible((4,)) and not feasible((5,))
    assert str(feasible.refusal([(5,), (6,)])) == "refused [{'option': 5}, {'option': 6}]"


def test_what_the_estimator_does_not_cover_is_not_feasible():
    feasible = Feasible(Space(), Below(), lambda arch: arch[0] % 2 == 0)
    assert [option for option in range(10) if feasible((option,))] == [0, 2, 4]
    assert str(feasible.refusal([(3,), (6,), (8,)])) == "refused [{'option': 6}, {'option': 8}]"


def test_a_refusal_says_that_nothing_is_covered():
    feasible = Feasible(Space(), Below(), lambda arch: False)
    assert str(feasible.refusal([(3,), (6,)])) == (
        "estimator: covers none of 17 sampled architectures, such as option 3; "
        "give a table of this space or raise constraint.tries"
    )


@pytest.mark.parametrize("partial", [False, True])
def test_a_limit_is_a_chain_only_where_the_estimator_covers_everything(partial):
    class Chained:
        tries = 1

        def chain(self):
            return "the chain"

    assert Feasible(Space(), Chained(), lambda arch: True, partial).chain() == (None if partial else "the chain")


def test_equal_rewards_are_counted_and_the_lowest_trial_index_wins():
    from nasctl.search.loop import ties

    def line(arch, reward, **parts):
        return {"arch": arch, "reward": reward, "relaxed": False, "error": None} | parts

    lines = [line([0], 0.5), line([1], 0.7), line([2], 0.7), line([1], 0.7), line([3], 0.9, error="NaN")]
    assert ties((1,), lines) == {"tied": 2}  # what is evaluated twice is one
    assert ties((0,), lines) == {} and ties((1,), lines[:2]) == {} and ties((1,), []) == {}


def test_of_equal_rewards_a_search_derives_the_first():
    from nasctl.core import Candidate, Evaluation, Trial
    from nasctl.strategy._best import BestTrial

    strategy = BestTrial()
    for index, (arch, reward) in enumerate([((0,), 0.5), ((1,), 0.7), ((2,), 0.7), ((3,), 0.6)]):
        strategy.tell(Trial(index, Candidate(arch), Evaluation({}), reward=reward))
    assert strategy.derive() == (1,)
