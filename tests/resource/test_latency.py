"""Latency: what is timed, how operations add up, and that each figure is measured once."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from nasctl.cli import main as cli
from nasctl.config.build import make
from nasctl.config.resources import costed
from nasctl.config.settings import conf_dir
from nasctl.core import ResourceContext, Task
from nasctl.errors import Interrupted, RequestError
from nasctl.resource._operations import between, calls
from nasctl.resource.latency import Latency
from nasctl.runs import Run

ROWS = Task("tabular_classification", (5,), 1)
SETTINGS = yaml.safe_load((conf_dir() / "resource" / "latency.yaml").read_text())
CPU = torch.device("cpu")


def space(widths=(2, 3, 4, 8, 16), layers=2):
    node = yaml.safe_load((conf_dir() / "space" / "ffn.yaml").read_text())
    return make(node | {"widths": list(widths), "layers": layers}, ROWS)


def latency(made=None, **changes):
    return make(SETTINGS | changes, ResourceContext(made or space(), ROWS, CPU))


@pytest.fixture
def products(monkeypatch):
    """Have an operation take its number of multiply-accumulates, a network 1000; return the calls so far."""
    timed = []

    def time_call(self, call):
        timed.append(str(call))
        channels = call.channels()
        return float(channels[0] * channels[1]) if channels else 0.0

    def measure(self, terms):
        self.operations |= {str(call): time_call(self, call) for call in terms if str(call) not in self.operations}

    monkeypatch.setattr(Latency, "_measure_operations", measure)
    monkeypatch.setattr(Latency, "_time_network", lambda self, genotype: timed.append("network") or 1000.0)
    return timed


def on_meta(build):
    with torch.device("meta"):
        return build()


def counted(network, shape):
    return {str(call): count for call, count in calls(network, shape, 1).items()}


def test_the_operations_of_a_pass_are_counted_and_views_are_not():
    network = on_meta(lambda: nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 2)))
    assert counted(network, (5,)) == {
        "aten::addmm [5] [1, 5] [5, 5][1, 0]": 2,
        "aten::relu [1, 5]": 2,
        "aten::addmm [2] [1, 5] [5, 2][1, 0]": 1,
    }


@pytest.mark.parametrize(
    "build, shape",
    [
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()), (3, 8, 8)),
        (
            lambda: nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 2)),
            (4, 8, 8),
        ),
    ],
)
def test_a_recorded_operation_runs_by_itself(build, shape):
    found = calls(on_meta(build), shape, 2)
    assert len(found) >= 3
    for call in found:
        result = call.on(CPU)()
        assert (result[0] if isinstance(result, tuple) else result).isfinite().all()


def test_a_transposed_matrix_is_timed_as_it_lies_in_memory():
    (product,) = calls(on_meta(lambda: nn.Linear(5, 3)), (5,), 1)
    weight = product.arguments[2]
    assert weight.sizes == (5, 3) and weight.tensor(CPU).shape == (5, 3) and weight.tensor(CPU).stride() == (1, 5)


def interpolated(network, shape, knots):
    (call,) = [call for call in calls(network, shape, 1) if call.channels()]
    return [(weight, known.channels()) for weight, known in between(call, knots)]


def test_products_between_knots_are_interpolated_in_both_channels():
    found = interpolated(on_meta(lambda: nn.Linear(6, 14)), (6,), [4, 8, 16])
    assert found == [(0.125, (4, 8)), (0.375, (4, 16)), (0.125, (8, 8)), (0.375, (8, 16))]
    assert sum(weight * a * b for weight, (a, b) in found) == 6 * 14


def test_a_product_at_a_knot_or_beyond_all_of_them_is_timed_itself():
    assert interpolated(on_meta(lambda: nn.Linear(8, 40)), (8,), [4, 8, 16]) == [(1.0, (8, 40))]
    assert interpolated(on_meta(lambda: nn.Linear(2, 5)), (2,), [4, 8]) == [(0.75, (2, 4)), (0.25, (2, 8))]


def test_convolutions_are_products_and_grouped_ones_are_not():
    plain = interpolated(on_meta(lambda: nn.Conv2d(6, 8, 3, bias=False)), (6, 5, 5), [4, 8])
    assert plain == [(0.5, (4, 8)), (0.5, (8, 8))]
    grouped = calls(on_meta(lambda: nn.Conv2d(6, 6, 3, groups=6)), (6, 5, 5), 1)
    assert [call.channels() for call in grouped] == [None]


def test_a_network_costs_the_scaled_sum_of_its_operations(products):
    found = latency(knots=[1, 2, 4, 8, 16, 32], calibrations=3)
    genotype = {"widths": [3, 16]}
    found(genotype)
    assert products.count("network") == 3 and len(products) == len(set(products)) + 2
    assert found.estimate(genotype) == pytest.approx(found.scale * (5 * 3 + 3 * 16 + 16 * 1))
    assert 1000 / found.scale in [pytest.approx(a * 5 + a * b + b) for a in (2, 3, 4, 8, 16) for b in (2, 3, 4, 8, 16)]


def test_what_was_timed_whole_counts_what_it_took(products):
    found = latency()
    genotype = {"widths": [16, 16]}
    estimate = found.estimate(genotype)
    assert found.measure(genotype) == found(genotype) == 1000.0 != estimate
    assert found.facts(genotype)["milliseconds"] == 1000.0 and found.facts(genotype)["batch_size"] == 1


def test_what_was_recorded_is_not_measured_again(products):
    first, kept = latency(), []
    first.keep = kept.append
    first({"widths": [3, 16]})
    first.measure({"widths": [8, 8]})
    count, second = len(products), latency()
    second.load(json.loads(json.dumps(kept[-1])))
    assert second({"widths": [3, 16]}) == first({"widths": [3, 16]}) and second({"widths": [8, 8]}) == 1000.0
    assert len(products) == count


def test_every_measured_figure_is_kept_before_it_is_used():
    kept, found = [], latency(repeats=2, warmup=0, calibrations=1)
    found.keep = lambda record: kept.append(json.loads(json.dumps(record)))
    found({"widths": [3, 16]})
    assert kept[-1] == found.record() and kept[-1]["operations"] and kept[-1]["scale"] > 0
    assert all(value > 0 for value in [*kept[-1]["operations"].values(), *kept[-1]["networks"].values()])


def test_a_larger_network_takes_longer():
    made = space((8, 512), layers=4)
    found = latency(made, batch_size=512, repeats=7)
    small, large = {"widths": [8] * 4}, {"widths": [512] * 4}
    assert found.measure(large) > 3 * found.measure(small)
    assert found.estimate(large) > 3 * found.estimate(small)


def test_measuring_leaves_random_streams_and_threads_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    threads = torch.get_num_threads()
    latency(threads=2, repeats=1)({"widths": [3, 16]})
    assert torch.equal(torch.rand(3), expected) and torch.get_num_threads() == threads


def test_a_costed_space_is_the_space_but_for_its_cost(products):
    made = space()
    found = latency(made)
    measured = costed(made, {"latency": found})
    genotype = measured.genotype((0, 1))
    assert genotype == made.genotype((0, 1)) and measured.cost(genotype, "params") == made.cost(genotype, "params")
    assert measured.cost(genotype, "latency") == found(genotype)


def test_settings_that_cannot_be_met_are_refused(monkeypatch):
    with pytest.raises(RequestError, match=r"resource.knots=\[4, 2\] must rise; sort the list"):
        latency(knots=[4, 2])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RequestError, match=r"resource.device=cuda: torch finds no GPU here"):
        latency(device="cuda")


def test_the_latency_of_text_is_refused():
    said = r"latency is of a pass over examples, but .* is language; choose .* or another"
    with pytest.raises(RequestError, match=said):
        make(SETTINGS, ResourceContext(space(), Task("language", (), 10), CPU))


SEARCH = (
    "search",
    "space=ffn",
    "space.widths=[2,3,4,8,16]",
    "dataset=breast_cancer",
    "trainer=ffn",
    "estimator=zero_cost",
    "estimator/score=grad_norm",
    "estimator.batch_size=8",
    "reward=score",
    "strategy=random_search",
    "budget.trials=12",
    "threads=1",
    "resource.repeats=1",
    "resource.warmup=0",
    "resource.calibrations=1",
)
LIMIT = ("constraint=latency", "constraint.limit=2.4")


@pytest.fixture
def counting(monkeypatch, tmp_path):
    """Have the clock say 1, 2, 3, ... milliseconds for what is timed, one after the other."""
    monkeypatch.chdir(tmp_path)
    said = []

    def tell(self, run):
        said.append(len(said) + 1.0)
        return said[-1]

    monkeypatch.setattr(Latency, "_time", tell)
    return said


def lines(name):
    return [json.loads(line) for line in Path(name, "trials.jsonl").read_text().splitlines()]


def test_a_resumed_search_meets_the_latencies_that_it_began_with(counting, monkeypatch):
    limit = ("constraint=latency", "constraint.limit=2.4")
    assert cli.run([*SEARCH, *limit, "checkpoint.seconds=0", "run_dir=whole"]) == 0
    counting.clear()
    tick, turns = Run.tick, []

    def stopping(self, state, values):
        tick(self, state, values)
        turns.append(values["trial"])
        if len(turns) == 5:
            raise Interrupted(2)

    monkeypatch.setattr(Run, "tick", stopping)
    assert cli.run([*SEARCH, *limit, "checkpoint.seconds=0", "run_dir=cut"]) == 130
    assert cli.run([*SEARCH, *limit, "checkpoint.seconds=0", "run_dir=cut"]) == 0
    assert turns == list(range(12)) and lines("cut") == lines("whole")
    assert len({tuple(line["arch"]) for line in lines("cut")}) > 5
    records = [json.loads(Path(name, "latency.json").read_text()) for name in ("cut", "whole")]
    assert records[0] == records[1] and len(set(records[0]["operations"].values())) > 12


def test_the_record_says_what_was_measured_and_judges_by_it(counting):
    limit = ("constraint=several", "constraint.limits={latency: 2.4, params: 400}")
    assert cli.run([*SEARCH, *limit, "run_dir=run"]) == 0
    result = json.loads(Path("run", "result.json").read_text())
    measured = result["latency"]["milliseconds"]
    assert measured == json.loads(Path("run", "latency.json").read_text())["networks"][found("run")]
    assert result["margin"] == pytest.approx(min(1 - measured / 2.4, 1 - result["params"] / 400))
    assert result["feasible"] is False and result["latency"]["estimate"] <= 2.4 < measured
    assert all("latency" not in line["metrics"] and line["costs"]["latency"] <= 2.4 for line in lines("run"))


def found(name):
    return json.loads(Path(name, "architecture.json").read_text())["notation"]


def test_a_reward_of_latency_needs_no_limit(counting):
    reward = ("reward=absolute", "reward.name=score", "reward.resource=latency", "reward.target=2", "reward.beta=-1")
    settings = [word for word in SEARCH if word != "reward=score"]
    assert cli.run([*settings, *reward, "strategy=reinforce", "run_dir=run"]) == 0
    timed = json.loads(Path("run", "latency.json").read_text())
    for line in lines("run"):
        cost = line["costs"]["latency"]
        assert line["reward"] == pytest.approx(line["metrics"]["score"] - abs(cost / 2 - 1))
    assert timed["scale"] is not None


def test_a_run_does_not_go_on_with_the_latencies_of_another_machine(counting, capsys):
    assert cli.run([*SEARCH, *LIMIT, "run_dir=run"]) == 0
    path = Path("run", "latency.json")
    record = json.loads(path.read_text())
    record["device"]["name"] = "another machine"
    path.write_text(json.dumps(record))
    assert cli.run([*SEARCH, *LIMIT, "run_dir=run"]) == 0  # it is finished, and is shown
    Path("run", "status.json").write_text('{"status": "interrupted", "reason": null}')
    assert cli.run([*SEARCH, *LIMIT, "run_dir=run"]) == 2
    assert "was measured on another machine, this is" in capsys.readouterr().err


def test_a_retrain_measures_its_network_and_nothing_else(counting):
    assert cli.run([*SEARCH, *LIMIT, "run_dir=run"]) == 0
    counting.clear()
    assert cli.run(["retrain", "from=run", "trainer.epochs=1", "run_dir=final"]) == 0
    result = json.loads(Path("final", "result.json").read_text())
    assert counting == [1.0] and result["latency"] == {"milliseconds": 1.0, "batch_size": 1}
    assert result["margin"] == pytest.approx(1.4) and result["feasible"] is True


def test_a_search_without_latency_measures_nothing(counting):
    assert cli.run([*SEARCH, "constraint=params", "constraint.limit=400", "run_dir=run"]) == 0
    assert not counting and not Path("run", "latency.json").exists()
