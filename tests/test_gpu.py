"""What only a GPU can show: ``pytest -m gpu``."""

import json

import pytest
import torch

from benchmarks import problem
from benchmarks.plain import PlainDarts
from benchmarks.precision import gradients, plain_name
from nasctl.config.build import make
from nasctl.core import Candidate, EstimatorContext
from tests.commands import nasctl
from tests.estimator.test_supernet import search_steps
from tests.small import Problem, session
from tests.space.equal import assert_close

pytestmark = pytest.mark.gpu
GPU = torch.device("cuda")
darts = problem.space


@pytest.fixture(autouse=True)
def exact_products(monkeypatch):
    """Tensor cores round float32 to ten bits unless told otherwise."""
    monkeypatch.setattr(problem, "DEVICE", GPU)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


def on_gpu(problem, *, seed=0):
    data = make(problem.config["dataset"], "nowhere", GPU, problem.config["seed"])
    return make(problem.config["estimator"], EstimatorContext(problem.space, data, GPU, seed, lambda values: None))


@pytest.mark.parametrize("layout", ["NCHW", "channels_last"])
def test_a_mixture_on_a_gpu_is_the_plain_one(layout):
    torch.manual_seed(0)
    supernet = darts().supernet(channels=4, layers=3).double()
    plain = PlainDarts(3, 10, 4, 3).double()
    plain.load_state_dict({plain_name(name): value for name, value in supernet.state_dict().items()})
    mixed = gradients(supernet, layout, lambda net, x, rows: net(x, Candidate((), list(rows.unbind()))))
    for ours, theirs in zip(mixed, gradients(plain, "NCHW", torch.nn.Module.__call__), strict=True):
        assert_close(ours, theirs)


UNROLLS = "first_order", "exact", "finite_difference"


@pytest.mark.parametrize("unroll", UNROLLS)
def test_replayed_graphs_take_the_same_search_steps(unroll, caplog):
    settings = ("space.nodes=2", f"estimator/unroll={unroll}")
    runs = [search_steps(on_gpu(Problem(*settings, f"estimator.speed.cuda_graph={on}")), 4) for on in ("false", "true")]
    for plain, graphed in zip(*runs, strict=True):
        assert torch.allclose(plain, graphed, rtol=1e-3, atol=1e-4)
    exact = "estimator.speed.cuda_graph=true with estimator/unroll=exact replays the steps of the weights alone"
    assert [record.getMessage() for record in caplog.records] == [exact] * (unroll == "exact")


@pytest.mark.parametrize("tricks", [[], ["trainer.auxiliary_weight=0.4", "trainer.accumulate=2"]])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_replayed_training_is_that_of_the_network(tricks, precision, caplog):
    settings = (*tricks, f"trainer.precision={precision}", "dataset.image_size=32", "trainer.epochs=3")
    runs = [trained_on_gpu(Problem(*settings, f"trainer.cuda_graph={on}")) for on in ("false", "true")]
    for plain, graphed in zip(*runs, strict=True):
        assert graphed["loss"] == pytest.approx(plain["loss"], rel=0.02 if precision == "fp16" else 1e-3)
    assert not caplog.records


def test_a_replayed_drop_path_drops_anew_in_each_step_and_more_in_each_epoch():
    losses = [trained_on_gpu(Problem("trainer.cuda_graph=true", f"trainer.drop_path={p}")) for p in (0, 0.9)]
    assert losses[0][0]["loss"] == pytest.approx(losses[1][0]["loss"], rel=1e-3)  # nothing in the first epoch
    assert losses[0][1]["loss"] != pytest.approx(losses[1][1]["loss"], rel=1e-2)


def trained_on_gpu(problem):
    """Return the lines of a training's history."""
    data, lines = make(problem.config["dataset"], "nowhere", GPU, 0), []
    network = problem.network().to(GPU)
    problem.trainer().fit(network, data, data.full(), session(record=lines.append))
    return lines


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_run_on_a_gpu_says_so(precision, tmp_path):
    request = ["+experiment=darts_digits", "+debug=smoke", "device=cuda", f"trainer.precision={precision}"]
    for verb in (["search", *request], ["retrain", *request[1:], "from=LAST"]):
        found = sorted(tmp_path.glob("outputs/search/*/*"))
        verb = [f"from={found[0]}" if word == "from=LAST" else word for word in verb]
        code, _, err = nasctl(verb, tmp_path)
        assert code == 0, err
    for result in tmp_path.glob("outputs/*/*/*/result.json"):
        record = json.loads(result.read_text())
        assert record["device"]["type"] == "cuda"
        assert sum(v or 0 for v in record["cost"].values()) > 0
