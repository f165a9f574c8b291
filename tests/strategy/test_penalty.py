"""The expected-cost penalty: its value and gradient, what it does to a search, and where it cannot be had."""

import json
from itertools import product
from pathlib import Path

import pytest
import torch

from nasctl.cli import main as cli
from nasctl.core import Chain
from nasctl.errors import RequestError
from nasctl.strategy._penalty import Penalty
from tests.strategy.mass import chain, logits
from tests.strategy.table import Limit, Table
from tests.strategy.test_darts import COSTS, tell

SIZES = (4, 3, 4)


class Limits(Limit):
    """Several limits on sums over rows, or None."""

    def __init__(self, *limits):
        super().__init__()
        self.limits = limits

    def relaxed(self):
        return None if None in self.limits else self.limits


def rows(seed=1):
    """Return the softmax of random logits, which are leaves."""
    values = logits(SIZES, replicas=1, seed=seed)[0]
    leaves = [row[:size].clone().requires_grad_() for row, size in zip(values, SIZES, strict=True)]
    return [leaf.softmax(0) for leaf in leaves], leaves


def expectation(weights, limit):
    """Return the mean cost over all architectures, each weighed by its probability."""
    total = 0.0
    for arch in product(*map(range, SIZES)):
        cost = sum(t[a][b] for t, a, b in zip(limit.tables, arch, arch[1:], strict=False))
        total = total + cost * torch.stack([row[k] for row, k in zip(weights, arch, strict=True)]).prod()
    return total


def test_the_expected_cost_is_the_mean_over_all_architectures():
    limit, (weights, _) = chain(SIZES), rows()
    (expected,) = Penalty(Limits(limit), 2.0).facts(weights)["relaxed"]["expected_cost"]
    assert expected == pytest.approx(float(expectation(weights, limit).detach()), rel=1e-6)


@pytest.mark.parametrize("share, active", [(0.5, True), (0.9, True), (1.1, False)])
def test_only_what_exceeds_a_limit_is_fined(share, active):
    weights, leaves = rows()
    limit = chain(SIZES)
    limit = Chain(limit.tables, share * float(expectation(weights, limit).detach()))
    found, expected = Penalty(Limits(limit), 3.0)(weights), 3 * (expectation(weights, limit) / limit.limit - 1)
    if active:
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        gradients = (torch.autograd.grad(value, leaves, retain_graph=True) for value in (found, expected))
        for ours, theirs in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    else:
        assert float(found) == 0 and not any(g.any() for g in torch.autograd.grad(found, leaves))


def test_the_fines_of_several_limits_add_up():
    (weights, _), limits = rows(), [Chain(chain(SIZES, seed).tables, 1.0 + seed) for seed in (0, 1)]
    alone = [float(Penalty(Limits(limit), 1.0)(weights)) for limit in limits]
    assert float(Penalty(Limits(*limits), 1.0)(weights)) == pytest.approx(sum(alone)) and min(alone) > 0


@pytest.mark.parametrize("weight, limits", [(0.0, [chain(SIZES)]), (1.0, [])])
def test_without_weight_or_limit_there_is_none(weight, limits):
    made = Penalty(Limits(*limits), weight)
    assert float(made(rows()[0])) == 0 and made.facts(rows()[0]) == {}


def test_an_expected_cost_that_is_not_known_is_refused_unless_nothing_is_asked_of_it():
    with pytest.raises(RequestError) as refused:
        Penalty(Limits(None), 1.0)
    assert str(refused.value) == (
        "strategy.penalty=1: the expected cost of relaxed choices is not known for this space and resource; "
        "set strategy.penalty=0, and only the architecture that is derived is judged"
    )
    assert float(Penalty(Limits(None), 0.0)(rows()[0])) == 0


def additive(costs, limit):
    """Return the limit on a sum of one cost of each row."""
    last = len(costs) - 2
    tables = [
        [[float(a) + (float(b) if i == last else 0.0) for b in costs[i + 1]] for a in costs[i]]
        for i in range(len(costs) - 1)
    ]
    return Chain(tables, limit)


def test_a_search_ends_within_a_limit_that_its_loss_alone_would_exceed(strategy):
    prices = (-COSTS).sub((-COSTS).min(1, keepdim=True).values).pow(2)  # what the loss likes costs most
    best = prices.gather(1, COSTS.argmin(1, keepdim=True)).sum()
    limit = additive(prices, float(best) / 2)

    def cost(arch):
        return float(sum(prices[i, k] for i, k in enumerate(arch)))

    found = {}
    for penalty in (0.0, 50.0):
        tried = strategy("darts", Table(), feasible=Limits(limit), lr=0.1, penalty=penalty)
        for index in range(200):
            tell(tried, index)
        found[penalty] = cost(tried.derive())
        facts = tried.facts()
    assert found[0.0] == pytest.approx(float(best)) and 0 < found[50.0] <= limit.limit * 1.05
    assert facts["relaxed"]["judged"] == "the derived architecture"


FAR = ("strategy.init_std=3", "seed=1")  # two steps do not turn such rows


@pytest.mark.parametrize("limit, feasible", [(1000, True), (150, False)])
def test_a_result_judges_what_was_derived_and_tells_the_expected_cost(limit, feasible, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    search = ["search", "+experiment=darts_breast_cancer", "+debug=smoke", "constraint=params", "run_dir=run"]
    assert cli.run([*search, f"constraint.limit={limit}", "space.widths=[4,8]", "space.layers=2", *FAR]) == 0
    result = json.loads(Path("run", "result.json").read_text())
    (expected,) = result["relaxed"]["expected_cost"]
    assert result["relaxed"]["penalty"] == 1.0 and 150 < expected < 1000
    assert result["margin"] == limit - result["params"] and result["feasible"] is feasible


def test_a_limit_on_latency_asks_for_a_penalty_of_zero(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    search = ["search", "+experiment=darts_breast_cancer", "+debug=smoke", "constraint=latency", "constraint.limit=9"]
    assert cli.run([*search, "run_dir=refused"]) == 2
    assert "set strategy.penalty=0" in capsys.readouterr().err
    assert cli.run([*search, "strategy.penalty=0", "run_dir=run"]) == 0
    assert json.loads(Path("run", "result.json").read_text())["feasible"] is not None
