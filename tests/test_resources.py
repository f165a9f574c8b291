"""Costs that a table has a column for count in limits, rewards and records, and no network is built for them."""

import json

import pytest

from nasctl.cli import main as cli
from nasctl.config.resources import build, check_unit, costed
from nasctl.core import ResourceContext
from nasctl.errors import RequestError
from nasctl.search.loop import costs_of
from nasctl.walk import every as walk
from tests.small import Problem
from tests.tables import nasbench201, write_table

SPACE = nasbench201()
NAMES = [SPACE.format.notation(SPACE.genotype(arch)) for _, arch in zip(range(60), walk(SPACE), strict=False)]
ROWS = [[name, 90 - i, 1000 + i, 70_000_000 - i, 1.5 + i] for i, name in enumerate(NAMES)]
COSTS = {"params": "weights", "macs": "flops", "latency": "ms"}
SMALL = ["space.search={channels: 2, cells: 1}", "space.final={channels: 2, cells: 1}"]  # no network of the table's


@pytest.fixture
def search(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, rows=ROWS, costs=("params", "macs")):
        write_table(tmp_path / "t.csv", rows, ["arch", "acc", "weights", "flops", "ms"])
        table = ["estimator=table", "estimator.root=.", "estimator.file=t.csv", "estimator.split=val"]
        table += ["estimator.accuracy=[acc]", "estimator.partial=true"]
        table += [f"+estimator.metrics.{name}={COSTS[name]}" for name in costs]
        common = ["space=nasbench201", *SMALL, "dataset=cifar10", "strategy=random_search", "budget.trials=8"]
        assert cli.run(["search", *common, *table, "constraint.tries=20000", "run_dir=run", *arguments]) == 0
        lines = [json.loads(line) for line in (tmp_path / "run" / "trials.jsonl").read_text().splitlines()]
        return lines, json.loads((tmp_path / "run" / "result.json").read_text())

    return run


def tabled(space, **columns):
    """Return resources of which a table has columns."""
    nodes = {name: {"_target_": f"nasctl.resource.{name}.{name.title()}"} for name in columns}
    return build(nodes, ResourceContext(space, None, None), columns)


def row_of(line):
    return ROWS[NAMES.index(SPACE.format.notation(SPACE.genotype(tuple(line["arch"]))))]


def test_a_reward_and_the_record_have_the_columns_cost(search):
    lines, result = search("reward=absolute", "reward.resource=macs", "reward.target=7e7", "reward.beta=-1e6")
    for line in lines:
        _, accuracy, params, macs, _ = row_of(line)
        assert (line["metrics"]["params"], line["metrics"]["macs"]) == (params, macs)
        assert line["reward"] == pytest.approx(accuracy / 100 - 1e6 * abs(macs / 7e7 - 1))
    assert (result["params"], result["macs"]) == (result["metrics"]["params"], result["metrics"]["macs"])
    assert result["macs"] > 6e7


def test_a_limit_is_on_the_columns_cost(search):
    lines, result = search("constraint=params", "constraint.limit=1019", "constraint.tries=100000")
    assert all(row_of(line)[2] <= 1019 for line in lines) and result["feasible"]
    assert result["margin"] == 1019 - result["params"] >= 0


def test_latency_of_a_column_is_not_measured(search, tmp_path):
    lines, _ = search("constraint=latency", "constraint.limit=9.5", "constraint.tries=100000", costs=("latency",))
    assert all(row_of(line)[4] <= 9.5 for line in lines)
    assert not (tmp_path / "run" / "latency.json").exists()


def test_costs_that_the_table_lacks_are_counted(search):
    lines, result = search("reward=absolute", "reward.resource=macs", "reward.target=1e6", costs=("params",))
    assert result["params"] == result["metrics"]["params"] >= 1000
    assert all(line["costs"]["macs"] < 1e6 for line in lines)


def test_repeats_have_the_columns_cost(search, tmp_path):
    with pytest.raises(FileNotFoundError):
        search("repeats=2", "curve=[4,8]", "constraint=macs", "constraint.limit=69999990")
    for text in (tmp_path / "run" / "replicas.jsonl").read_text().splitlines():
        line = json.loads(text)
        assert line["macs"] == row_of(line)[3] <= 69_999_990 and line["params"] == row_of(line)[2]
        assert line["margin"] == 69_999_990 - line["macs"]


@pytest.mark.parametrize(("factor", "word"), [(1e3, "thousands"), (1e6, "millions"), (1e9, "billions")])
def test_a_column_in_other_units_is_refused(factor, word):
    genotype = SPACE.genotype((1,) * 6)
    counted = SPACE.cost(genotype, "macs")
    space = costed(SPACE, tabled(SPACE, macs=lambda genotype: counted / factor))
    with pytest.raises(RequestError, match=rf"metrics.macs: the table has .* so the column is in {word}; write"):
        space.cost(genotype, "macs")


@pytest.mark.parametrize("found", [1e6, 2e3, 900, 0.5, 1e12])
def test_another_figure_than_the_networks_is_taken_as_it_is(found):
    check_unit("macs", found, 1e6)


def test_sums_over_decisions_are_those_of_counted_costs_alone():
    space = Problem(estimator="stacked").space
    found = costed(space, tabled(space, params=lambda genotype: 1.0))
    assert "params" in space.additive and set(found.additive) == set(space.additive) - {"params"}


def test_what_an_estimator_gives_itself_is_not_replaced():
    found = costs_of(SPACE, ("macs", "params"), (1,) * 6, {"error": 1.0, "macs": 5.0})
    assert found == {"macs": 5.0, "params": SPACE.cost(SPACE.genotype((1,) * 6), "params")}
