"""A training that is interrupted at any step and resumed ends as one that never was."""

from functools import partial

import pytest
import torch

from nasctl.trainer._precision import Precision
from nasctl.trainer._training import Training
from tests.marked import slow
from tests.small import CPU, Problem, same, through_a_file, train

STEPS = 3  # of an epoch: 72 images in batches of 32


SWITCHES = {
    "none": (),
    "drop_path": ("trainer.drop_path=0.5", "trainer.drop_path_by_depth=true"),
    "nesterov": ("trainer.nesterov=true",),
    "cutout": ("trainer.cutout=0.5",),
    "schedule": ("trainer.schedule.by=step", "trainer.schedule.warmup=0.3", "trainer.schedule.restarts=1"),
    "accumulate": ("trainer.accumulate=3",),
    "ema": ("trainer.ema_decay=0.9",),
    "best": ("trainer.held_out=0.2", "trainer.keep=best", "trainer.lr=0.3"),
    "best of averages": ("trainer.held_out=0.2", "trainer.keep=best", "trainer.ema_decay=0.5", "trainer.lr=0.3"),
    "bf16": ("trainer.precision=bf16",),
}


def whole_and_parts(problem):
    """Train once through; return what came of it and, for each step, the state after it."""
    states, choose_by = [], problem.data.val() if problem.trainer().held_out else None
    fit = partial(train, problem, choose_by=choose_by)
    return fit, fit(tick=lambda state, values: states.append(through_a_file(state()))), states


@pytest.mark.parametrize("switch", slow(SWITCHES, "nesterov", "cutout", "accumulate", "best", "bf16"))
def test_a_run_resumed_at_any_step_ends_as_one_never_interrupted(switch):
    fit, (whole, lines), states = whole_and_parts(Problem(*SWITCHES[switch]))
    assert len(states) == 2 * STEPS
    for done, state in enumerate(states, start=1):
        torch.manual_seed(done)
        network, rest = fit(Problem().network(seed=9), state=state)
        assert same(network.state_dict(), whole.state_dict()), f"resumed after step {done}"
        assert rest == lines[done // STEPS :], f"resumed after step {done}"


def test_the_scale_of_the_loss_is_resumed(monkeypatch):
    monkeypatch.setattr("nasctl.trainer.classifier.check_precision", lambda name, device: None)  # a CPU can, slowly
    problem = Problem("trainer.precision=fp16")
    fit, (whole, _), states = whole_and_parts(problem)
    states[2]["precision"]["scale"] /= 1024  # another scale rounds gradients otherwise, so it must be taken up
    resumed, other = (fit(problem.network(seed=9), state=state)[0] for state in (states[1], states[2]))
    assert same(resumed.state_dict(), whole.state_dict())
    assert not same(other.state_dict(), whole.state_dict())


@pytest.mark.filterwarnings("ignore:for .*no-op:UserWarning")
def test_a_checkpoint_that_was_read_to_the_cpu_follows_the_network_to_its_device():
    problem, states = Problem(), []
    train(problem, tick=lambda state, values: states.append(through_a_file(state())))
    network = problem.network().to("meta")  # stands for a GPU: its tensors mix with none of the CPU's
    training = Training(network, torch.optim.SGD(network.parameters()), Precision("fp32", CPU), None)
    training.load_state_dict(states[1])
    devices = {value.device.type for measured in training.measured for value in measured.values()}
    assert len(training.measured) == 2 and devices == {"meta"}
