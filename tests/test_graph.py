"""CUDA graphs where there is no GPU: one sentence, and the same results; what they do on one is in test_gpu.py."""

import logging

import pytest
import torch

from nasctl.acceleration.cuda_graph import Graph
from tests.estimator.test_supernet import search_steps
from tests.marked import slow
from tests.small import Problem, same, train


@pytest.fixture
def logged(monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger("nasctl"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("nasctl"), "handlers", [])
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_function_that_cannot_be_captured_is_called_as_it_is_and_that_is_said_once(logged, monkeypatch):
    def refuse():
        raise RuntimeError("no graph here\nand a long listing")

    monkeypatch.setattr(torch.cuda, "get_rng_state", refuse)
    graph = Graph(torch.neg, "trainer.cuda_graph", list)
    for _ in range(2):
        assert torch.equal(graph(torch.ones(2)), -torch.ones(2))
    assert logged() == ["trainer.cuda_graph: no graph could be captured (no graph here); going on without it"]


def test_on_a_cpu_a_search_takes_the_same_steps_without(logged):
    settings = "space.nodes=2", "estimator/unroll=first_order"
    plain, asked = (
        search_steps(Problem(*settings, f"estimator.speed.cuda_graph={on}").estimator()) for on in (False, True)
    )
    assert all(torch.equal(a, b) for a, b in zip(plain, asked, strict=True))
    assert logged() == ["estimator.speed.cuda_graph=true needs a CUDA device, this is a cpu; going on without it"]


def test_on_a_cpu_a_training_is_the_same_without(logged):
    network, lines = train(Problem("trainer.cuda_graph=true", "trainer.drop_path=0.2"))
    plain, expected = train(Problem("trainer.drop_path=0.2"))
    assert same(network.state_dict(), plain.state_dict()) and lines == expected
    assert logged() == ["trainer.cuda_graph=true needs a CUDA device, this is a cpu; going on without it"]


@pytest.mark.parametrize("unroll", slow(["first_order", "exact", "finite_difference"], "exact"))
def test_what_is_replayed_is_what_is_launched(unroll, monkeypatch):
    """The functions that a GPU captures, called as they are."""
    problem = Problem("space.nodes=2", f"estimator/unroll={unroll}")
    launched = search_steps(problem.estimator())
    monkeypatch.setattr("nasctl.estimator._replay.Graph", lambda function, setting, kept: function)
    monkeypatch.setattr("nasctl.estimator.supernet.replays", lambda device, **settings: True)
    for ours, theirs in zip(search_steps(problem.estimator()), launched, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_text_is_not_replayed_and_that_is_said(logged):
    Problem("estimator.speed.cuda_graph=true", estimator="supernet_language").estimator()
    assert logged() == ["estimator.speed.cuda_graph=true replays steps on images, this is text; going on without it"]
