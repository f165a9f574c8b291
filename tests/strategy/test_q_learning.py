"""Q-learning: the table against a dict in plain Python, exploration, replay, shaping, and that it converges."""

from collections import Counter
from functools import partial

import pytest
import torch

from nasctl import walk
from nasctl.core import Candidate, Evaluation, Trial
from nasctl.errors import RequestError
from nasctl.strategy.policy.q_table import QTable
from nasctl.strategy.update.q_learning import QLearning
from nasctl.strategy.update.shaping.equal import Equal
from nasctl.strategy.update.shaping.last import Last
from tests.small import same, through_a_file
from tests.strategy.table import Growing, Table, play


class Counted(Growing):
    """A space that says that only the length of a walk and its first option matter."""

    def state(self, prefix):
        return len(prefix), *prefix[:1]


def numbers(count, seed=0):
    stream = torch.rand(count, 10, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return lambda group: stream[:, group.start : group.stop]


def plain(space, trials, rate, discount, rewards_of):
    """Q-learning of a dict, backwards through each walk."""
    values = {}
    for arch, reward in trials:
        for i in reversed(range(len(arch))):
            row = values.setdefault(walk.state_of(space)(arch[:i]), [0.5] * 4)
            after = values.get(walk.state_of(space)(arch[: i + 1]), [0.5] * 4)
            ahead = max((after[k] for k in walk.options(space, arch[: i + 1])), default=0.0)
            row[arch[i]] += rate * (rewards_of(len(arch), reward)[i] + discount * ahead - row[arch[i]])
    return values


@pytest.mark.parametrize("shaping", [Last(), Equal()])
@pytest.mark.parametrize("space", [Table(), Growing(), Counted()])
def test_the_table_is_that_of_a_dict_in_plain_python(space, shaping):
    generator = torch.Generator().manual_seed(3)
    trials = [(walk.uniform(space, generator), float(torch.rand((), generator=generator))) for _ in range(40)]
    policy = QTable(space, 0, initial=0.5, epsilon=[(0, 0.1)])
    update = QLearning(policy, 0, rate=0.3, discount=0.9, replays=0, shaping=shaping)
    for arch, reward in trials:
        update.learn([arch], [reward])
    expected = plain(space, trials, 0.3, 0.9, shaping.rewards)
    assert policy.values.keys() == {repr(state) for state in expected}
    for state, row in expected.items():
        assert policy.values[repr(state)] == pytest.approx(row, rel=1e-12)


def test_shaping_divides_the_reward():
    assert list(Last().rewards(4, 0.8)) == [0, 0, 0, 0.8] and list(Last().rewards(1, 0.8)) == [0.8]
    assert list(Equal().rewards(4, 0.8)) == [0.2] * 4


def test_replayed_walks_are_learnt_from_again():
    space, archs = Table(2, 2), [(0, 1), (1, 0), (1, 1)]
    policy = QTable(space, 0, initial=0.0, epsilon=[(0, 1.0)])
    policy.moved = []
    policy.move = lambda prefix, option, target, rate: policy.moved.append((*prefix, option))
    update = QLearning(policy, 5, rate=0.5, discount=1.0, replays=50, shaping=Last())
    for arch in archs:
        update.learn([arch], [1.0])
    walks = Counter(place for place in policy.moved if len(place) == 2)
    assert sum(walks.values()) == 3 * 51 and set(walks) == set(archs) and policy.walks == 3
    assert policy.moved[:2] == [(0, 1), (0,)]  # from the last decision to the first


def test_options_are_as_probable_as_epsilon_and_equal_values_say():
    policy, count = QTable(Table(1, 4), 0, initial=0.0, epsilon=[(0, 0.4)]), 4000
    policy.values = {"()": [0.0, 1.0, 1.0, -1.0]}
    found = Counter(policy.sample(count, numbers(count)))
    for option, share in enumerate([0.1, 0.4, 0.4, 0.1]):
        assert abs(found[(option,)] / count - share) < 5 * (share * (1 - share) / count) ** 0.5


def test_epsilon_falls_with_the_walks_learnt_from():
    policy = QTable(Table(), 0, initial=0.0, epsilon=[(0, 1.0), (10, 0.5), (30, 0.1)])
    found = []
    for _ in range(4):
        found.append(policy.epsilon)
        policy.count(10)
    assert found == [1.0, 0.5, 0.5, 0.1]


@pytest.mark.parametrize("epsilon", [[], [(5, 0.1)], [(0, 0.1), (0, 0.2)], [(0, 1.0), (9, 0.5), (3, 0.1)]])
def test_a_schedule_out_of_order_is_refused(epsilon):
    with pytest.raises(RequestError, match=r"strategy\.policy\.epsilon=.*must ascend from 0; order them"):
        QTable(Table(), 0, initial=0.0, epsilon=epsilon)


@pytest.mark.parametrize("space", [partial(Table, 3, 3), Growing])
def test_on_a_small_table_the_best_walk_becomes_the_greedy_one(strategy, space):
    space = space()
    best = max(walk.every(space), key=space.worth)
    tried = strategy("q_learning", space, rate=0.5, replays=2, epsilon=[(0, 1.0), (250, 0.2)])
    play(tried, space, 400)
    tried.policy.schedule = [(0, 0.0)]
    assert tried.derive() == best and set(tried.policy.sample(5, numbers(5))) == {best}


def test_an_interrupted_search_with_replay_goes_on_as_it_would(strategy):
    space = Counted()
    whole, first, second = (strategy("q_learning", space, rate=0.3, seed=seed) for seed in (1, 1, 8))
    expected = play(whole, space, 40)
    head = play(first, space, 15)
    second.load_state_dict(through_a_file(first.state_dict()))
    assert same(head + play(second, space, 25, start=15), expected)
    assert same(second.state_dict(), whole.state_dict())


def test_a_failed_trial_teaches_nothing(strategy):
    tried = strategy("q_learning", Table())
    tried.tell(Trial(0, tried.ask(), None, error="diverged"))
    assert not tried.policy.values and tried.updates == 0
    tried.tell(Trial(1, Candidate((0,) * 5), Evaluation({}), reward=1.0))
    assert tried.policy.values and tried.updates == 1


def test_other_policies_have_no_values_to_learn(strategy):
    with pytest.raises(RequestError, match=r"this policy does not have; choose strategy/policy=q_table or"):
        strategy("q_learning", Table(), policy="independent")
