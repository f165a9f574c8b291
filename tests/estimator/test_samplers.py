"""Whose paths a weight step trains: uniform, strictly fair, and an archive that is not forgotten."""

from collections import Counter

import pytest
import torch

from nasctl.core import Candidate, Decision
from nasctl.errors import RequestError
from nasctl.estimator.sampler._paths import WeightStep
from nasctl.estimator.sampler.fair import Fair
from nasctl.estimator.sampler.nsas import Nsas
from nasctl.estimator.sampler.uniform import Uniform
from nasctl.space._shared import FixedWalk
from tests.small import Problem, fit, rounds, same, through_a_file
from tests.tables import nasbench201

SETTINGS = {"members": 3, "weight": 0.5, "tried": 4, "nearest": 10, "recent": 5}
SAMPLERS = ("uniform", "fair", "nsas")
SMALL_ARCHIVE = {"nsas": ("estimator.sampler.members=2", "estimator.sampler.recent=3")}


def never():
    pytest.fail("the strategy was asked for a sample")


class Grid(FixedWalk):
    """Independent decisions with so many options each."""

    def __init__(self, *sizes):
        self.decisions = tuple(Decision(str(i), str(n), tuple(map(str, range(n)))) for i, n in enumerate(sizes))

    def genotype(self, arch):
        return arch

    @property
    def format(self):
        return self

    def edges(self, genotype):
        return {"cell": [(str(i), str(i + 1), str(option)) for i, option in enumerate(genotype)]}


class Tree:
    """A space in which the first decision opens or closes the second."""

    def __init__(self, *sizes):
        self.grid = Grid(*sizes)
        self.genotype, self.format = self.grid.genotype, self.grid

    def decision(self, prefix):
        return None if prefix and prefix[0] == 0 else self.grid.decision(prefix)

    def complete(self, prefix):
        return self.decision(prefix) is None


def paths(sampler, space, position, seed=0):
    return sampler.paths(WeightStep(space, seed, position, never))


def archs(sampler, space, positions, seed=0):
    return [[candidate.arch for candidate, _ in paths(sampler, space, t, seed)] for t in positions]


def test_uniform_paths_are_uniform_and_a_function_of_seed_and_position():
    space = Grid(2, 3)
    drawn = Counter(path for (path,) in archs(Uniform(), space, range(1200)))
    assert len(drawn) == 6 and max(abs(count - 200) for count in drawn.values()) < 60  # 5 standard deviations: 65
    again = archs(Uniform(), space, reversed(range(20)))
    assert again == archs(Uniform(), space, range(20))[::-1]
    assert again != archs(Uniform(), space, reversed(range(20)), seed=1)


def test_a_fair_step_uses_each_option_of_each_decision_once():
    space = nasbench201()
    seen = archs(Fair(), space, range(30))
    for found in seen:
        assert len(found) == 5 and all(sorted(column) == [0, 1, 2, 3, 4] for column in zip(*found, strict=True))
    assert len({path for found in seen for path in found}) > 140  # of 150: the permutations differ
    assert seen[7] == archs(Fair(), space, [7])[0] != archs(Fair(), space, [7], seed=1)[0]


def test_with_unequal_decisions_uses_never_differ_by_more_than_one():
    uses = [Counter(dict.fromkeys(range(n), 0)) for n in (4, 3, 1)]
    for found in archs(Fair(), Grid(4, 3, 1), range(12)):
        assert len(found) == 4
        for path in found:
            for count, option in zip(uses, path, strict=True):
                count[option] += 1
                assert max(count.values()) - min(count.values()) <= 1
    assert [set(count.values()) for count in uses] == [{12}, {16}, {48}]


def test_fairness_needs_independent_decisions():
    with pytest.raises(RequestError, match=r"estimator/sampler=fair: needs .* choose estimator/sampler=uniform"):
        Fair().check(Tree(2, 2))


def test_distance_is_the_share_of_edges_not_in_common():
    space, sampler = Grid(3, 3, 3, 3), Nsas(**SETTINGS)
    assert sampler.distance(space, (0, 1, 2, 0), (0, 1, 2, 0)) == 0
    assert sampler.distance(space, (0, 1, 2, 0), (0, 2, 2, 1)) == 0.5
    assert sampler.distance(space, (0, 0, 0, 0), (1, 1, 1, 1)) == 1
    assert sampler.novelty(space, (0, 0, 0, 0), [(0, 0, 0, 1), (1, 1, 1, 1)]) == (0.25 + 1) / 2
    nearest = Nsas(**SETTINGS | {"nearest": 1})
    assert nearest.novelty(space, (0, 0, 0, 0), [(0, 0, 0, 1), (1, 1, 1, 1)]) == 0.25


def test_distance_is_averaged_over_the_cells_of_darts():
    problem = Problem("space.nodes=2")
    sampler, a = Nsas(**SETTINGS), problem.arch(0)
    b = (*a[:6], *problem.arch(1)[6:])  # another reduction cell
    graphs = [problem.space.format.edges(problem.space.genotype(arch))["reduce"] for arch in (a, b)]
    common = len(set(graphs[0]) & set(graphs[1]))
    assert (
        sampler.distance(problem.space, a, b) == pytest.approx((1 - common / 6) / 2) != 0
    )  # four edges and two to the output


def test_the_archive_fills_with_what_is_novel_and_then_replaces_what_is_alike():
    space, sampler = Grid(*[3] * 6), Nsas(**SETTINGS)
    assert len(paths(sampler, space, 0)) == 1  # nothing is remembered yet
    for position in (1, 2):
        paths(sampler, space, position)
    assert len(sampler.archive) == 3
    for position in range(3, 40):
        before = list(sampler.archive)
        (current, _), *kept = paths(sampler, space, position)
        assert [candidate.arch for candidate, _ in kept] == before
        gone = [arch for arch in before if arch not in sampler.archive]
        assert len(sampler.archive) == len(set(sampler.archive)) == 3 and len(gone) <= 1
        like = min(sampler.distance(space, current.arch, arch) for arch in before)
        for arch in gone:
            assert sampler.distance(space, current.arch, arch) == like
            (new,) = set(sampler.archive) - set(before)
            stay = [other for other in before if other != arch]
            tried = [arch for arch in sampler.recent if arch not in stay]
            assert sampler.novelty(space, new, stay) == max(sampler.novelty(space, arch, stay) for arch in tried)
    assert len(sampler.recent) == 5 and space.complete(sampler.recent[-1])


def test_the_archive_is_more_diverse_than_chance():
    def spread(sampler, chosen):
        pairs = [(a, b) for i, a in enumerate(chosen) for b in chosen[:i]]
        return sum(sampler.distance(space, a, b) for a, b in pairs) / len(pairs)

    space, sampler = Grid(*[3] * 8), Nsas(members=8, weight=0.5, tried=10, nearest=10, recent=50)
    found = archs(sampler, space, range(200))
    chance = [spread(sampler, [step[0] for step in found[t : t + 8]]) for t in range(0, 192, 8)]
    assert len(chance) == 24 and spread(sampler, sampler.archive) > max(chance)


def test_the_losses_of_a_step_weigh_as_they_should():
    sampler = Nsas(**SETTINGS | {"members": 4, "weight": 0.2})
    for position in range(6):
        (_, own), *kept = paths(sampler, Grid(*[3] * 6), position)
        assert own == (0.8 if kept else 1.0)
        assert [factor for _, factor in kept] == [0.2 / max(len(kept), 1)] * len(kept)
        assert len(kept) == min(position, 4)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_gradient_of_a_step_is_that_of_its_paths_losses(sampler, monkeypatch):
    """A finite difference along a random direction, in float64: every path, remembered ones too, carries gradient."""
    problem = Problem(
        "budget.epochs=9",
        f"estimator/sampler={sampler}",
        "estimator.optimizer.clip=1e9",
        *SMALL_ARCHIVE.get(sampler, ()),
    )
    data = Doubles(problem.space.task)
    estimator = problem.estimator(dataset=data)
    estimator.net.double()
    steps = []
    monkeypatch.setattr(estimator.optimizer, "step", lambda: steps.append(1))
    taken = estimator.sampler.paths

    def noted(step):
        steps[:] = taken(step)
        return steps[:]

    monkeypatch.setattr(estimator.sampler, "paths", noted)
    for _ in range(4):  # the archive holds two by then
        estimator.schedule.goal += 1
        fit(estimator, never)
        found, position = steps[:-1], estimator.schedule.position - 1
    assert len(found) == {"uniform": 1, "fair": 7, "nsas": 3}[sampler]
    weights = [w for w in estimator.runner.weights.values() if w.grad is not None]
    alone = [own_weights(estimator, candidate, data) for candidate, _ in found]
    assert {id(w) for w in weights} == {id(w) for own in alone for w in own}
    x, y = data.batch(32, *divmod(position, 2))

    def loss():
        terms = [f * estimator.dataset.loss(estimator.net(x, candidate), y) for candidate, f in found]
        return float(sum(terms))

    draw, size = torch.Generator().manual_seed(0), 1e-7
    directions = [torch.randn(w.shape, generator=draw, dtype=torch.float64) for w in weights]
    expected = sum(float((w.grad * d).sum()) for w, d in zip(weights, directions, strict=True))

    @torch.no_grad()
    def moved(by):
        for w, d in zip(weights, directions, strict=True):
            w += by * d
        return loss()

    difference = (moved(size) - moved(-2 * size)) / (2 * size)
    assert difference == pytest.approx(expected, rel=1e-4)


def own_weights(estimator, candidate, data):
    """Return the weights that the loss of one path depends on."""
    x, y = data.batch(32, 0, 0)
    loss = data.loss(estimator.net(x, candidate), y)
    weights = list(estimator.net.parameters())
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return [w for w, g in zip(weights, gradients, strict=True) if g is not None]


class Doubles:
    """Random images in float64, the same for all splits."""

    def __init__(self, task):
        self.shape = task.input_shape

    def __len__(self):
        return 64

    def train(self):
        return self

    val = full = train

    def batch(self, size, epoch, step):
        draw = torch.Generator().manual_seed(100 * epoch + step)
        x = torch.randn(8, *self.shape, generator=draw, dtype=torch.float64)
        return x, torch.randint(10, (8,), generator=draw)

    def loss(self, outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets)


def test_the_strategy_is_asked_only_where_its_samples_are_trained_on():
    problem, asked = Problem("budget.epochs=2"), []
    estimator = problem.estimator()
    estimator.schedule.goal = 2
    fit(estimator, lambda: asked.append(1) or Candidate(problem.arch(0)))
    assert asked == [1, 1]
    for sampler in SAMPLERS:
        estimator = Problem("budget.epochs=2", f"estimator/sampler={sampler}").estimator()
        estimator.schedule.goal = 2
        fit(estimator, never)


def test_a_fair_step_is_one_move_of_the_optimizer_on_one_batch():
    problem, moves = Problem("budget.epochs=2", "estimator/sampler=fair", "estimator.optimizer.clip=0.5"), []
    estimator = problem.estimator()
    estimator.optimizer.sgd.register_step_pre_hook(lambda o, *_: moves.append(grad_norm(estimator)))
    estimator.schedule.goal = 2
    fit(estimator, never)
    assert problem.data.log == [("train", 0, 0), ("train", 0, 1)]
    assert moves == pytest.approx([0.5, 0.5], rel=1e-4)  # the sum is clipped, not its terms
    assert estimator.epoch == pytest.approx(2 / 3)


def grad_norm(estimator):
    return float(torch.cat([w.grad.flatten() for w in estimator.runner.weights.values() if w.grad is not None]).norm())


@pytest.mark.parametrize("sampler, paths", [("uniform", 1), ("fair", 7), ("nsas", 3)])
def test_the_work_of_a_step_is_that_of_all_its_paths(sampler, paths):
    problem = Problem("budget.epochs=9", f"estimator/sampler={sampler}", *SMALL_ARCHIVE.get(sampler, ()))
    estimator = problem.estimator()
    estimator.schedule.goal = 4
    fit(estimator, never)
    before, estimator.schedule.goal, seen = estimator.work, 5, []
    taken = estimator.sampler.paths
    estimator.sampler.paths = lambda step: seen.extend(taken(step)) or seen
    fit(estimator, never)
    macs = [estimator.runner.macs(candidate) for candidate, _ in seen]
    assert len(macs) == paths and estimator.work - before == 3 * 32 * sum(macs) > 0


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_stopped_between_two_steps_of_a_fit_it_goes_on_bit_for_bit(sampler):
    problem = Problem(
        "budget.epochs=4",
        "estimator.schedule.warmup_epochs=2",
        f"estimator/sampler={sampler}",
        *SMALL_ARCHIVE.get(sampler, ()),
    )
    whole = problem.estimator()
    expected = rounds(problem, whole, [0, 2, 4])
    for steps in (1, 4):
        first, second = problem.estimator(), problem.estimator()
        for _ in range(steps):
            assert first.fit(never)
        second.load_state_dict(through_a_file(first.state_dict()))
        torch.manual_seed(12345)
        assert rounds(problem, second, [0, 2, 4]) == expected
        assert same(second.state_dict(), whole.state_dict())


@pytest.mark.parametrize("setting", ["members=0", "weight=0", "weight=1", "tried=0", "recent=0"])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(RequestError, match=r"(weight|members|tried|recent)"):
        Problem("estimator/sampler=nsas", f"estimator.sampler.{setting}").estimator()
