"""What only a GPU can show: ``pytest -m gpu``."""

import json

import pytest
import torch

from benchmarks import problem
from benchmarks.plain import PlainDarts
from benchmarks.precision import gradients, plain_name
from nasctl.config import make
from nasctl.core import Candidate
from tests.commands import nasctl
from tests.estimator.test_supernet import search_steps
from tests.small import Problem
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
    return make(problem.config["estimator"], problem.space, data, GPU, seed, lambda values: None)


@pytest.mark.parametrize("layout", ["NCHW", "channels_last"])
def test_a_mixture_on_a_gpu_is_the_plain_one(layout):
    torch.manual_seed(0)
    supernet = darts().supernet(channels=4, layers=3).double()
    plain = PlainDarts(3, 10, 4, 3).double()
    plain.load_state_dict({plain_name(name): value for name, value in supernet.state_dict().items()})
    mixed = gradients(supernet, layout, lambda net, x, rows: net(x, Candidate((), list(rows.unbind()))))
    for ours, theirs in zip(mixed, gradients(plain, "NCHW", torch.nn.Module.__call__), strict=True):
        assert_close(ours, theirs)


@pytest.mark.parametrize("option", ["cuda_graph", "compile"])
def test_a_graph_takes_the_same_search_steps(option):
    settings = ("space.nodes=2", "estimator.unroll=first_order")
    runs = [search_steps(on_gpu(Problem(*settings, f"estimator.{option}={on}"))) for on in ("false", "true")]
    for plain, graphed in zip(*runs, strict=True):
        assert torch.allclose(plain, graphed, rtol=1e-3, atol=1e-5)


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
