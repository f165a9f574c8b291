"""torch.compile: used where it works, left with one sentence where it does not."""

import logging

import pytest
import torch
from torch import nn

from nasctl.acceleration.compiled import Compilation
from tests.small import Problem, same, train


def compile_as(monkeypatch, compiled):
    monkeypatch.setattr(torch, "compile", compiled)
    return Problem("trainer.compile=true")


def test_the_compiled_network_is_what_is_trained(monkeypatch):
    calls = []

    def compiled(model):
        return lambda x: calls.append(len(x)) or model(x)

    network, lines = train(compile_as(monkeypatch, compiled))
    plain, expected = train(Problem())
    assert calls == [32, 32, 8] * 2
    assert same(network.state_dict(), plain.state_dict()) and lines == expected


def test_a_failed_compilation_is_logged_once_and_training_goes_on(monkeypatch, caplog):
    def fails(model):
        def call(x):
            raise RuntimeError("no compiler here\nand a long listing")

        return call

    monkeypatch.setattr(logging.getLogger("nasctl"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("nasctl"), "handlers", [])
    network, lines = train(compile_as(monkeypatch, fails))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "trainer.compile: compilation failed (RuntimeError: no compiler here); going on without it"
    )
    plain, expected = train(Problem())
    assert same(network.state_dict(), plain.state_dict()) and lines == expected


def test_an_error_of_the_network_itself_is_not_swallowed(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda model: model.forward)
    with pytest.raises(RuntimeError, match="shape"):
        Compilation(nn.Linear(3, 1), "trainer.compile")(torch.ones(2, 4))


@pytest.mark.slow
def test_a_compiled_training_is_close_to_a_plain_one_and_compiles_but_a_few_times():
    """Drop path changes its probability every epoch, which must not compile the network anew each time."""
    from torch._dynamo.utils import counters

    settings = "trainer.drop_path=0.3", "trainer.epochs=8"
    counters.clear()
    _, lines = train(Problem(*settings, "trainer.compile=true", "dataset.limit_train=128"))
    assert 1 <= counters["stats"]["unique_graphs"] <= 3
    _, plain = train(Problem(*settings, "dataset.limit_train=128"))
    assert lines[0]["loss"] == pytest.approx(plain[0]["loss"], rel=1e-3)  # nothing is dropped in the first epoch
