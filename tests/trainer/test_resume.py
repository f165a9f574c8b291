"""A training that is interrupted at any step and resumed ends as one that never was."""

import pytest
import torch

from nasctl.trainer.classifier import _Progress
from tests.small import Problem, same, through_a_file, train

STEPS = 3  # of an epoch: 72 images in batches of 32


def test_a_run_resumed_at_any_step_ends_as_one_never_interrupted():
    problem, states = Problem("trainer.drop_path=0.5", "trainer.nesterov=true"), []
    whole, lines = train(problem, tick=lambda state, values: states.append(through_a_file(state())))
    assert len(states) == 2 * STEPS
    for done, state in enumerate(states, start=1):
        torch.manual_seed(done)
        network, rest = train(problem, problem.network(seed=9), state=state)
        assert same(network.state_dict(), whole.state_dict()), f"resumed after step {done}"
        assert rest == lines[done // STEPS :], f"resumed after step {done}"


@pytest.mark.filterwarnings("ignore:for .*no-op:UserWarning")
def test_a_checkpoint_that_was_read_to_the_cpu_follows_the_network_to_its_device():
    problem, states = Problem(), []
    train(problem, tick=lambda state, values: states.append(through_a_file(state())))
    network = problem.network().to("meta")  # stands for a GPU: its tensors mix with none of the CPU's
    progress = _Progress(network, torch.optim.SGD(network.parameters()))
    progress.load_state_dict(states[1])
    devices = {value.device.type for measured in progress.measured for value in measured.values()}
    assert len(progress.measured) == 2 and devices == {"meta"}
