"""Each switch changes what it says and nothing else, and does nothing when it is off."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from nasctl.errors import RequestError
from nasctl.seeds import position_seed
from nasctl.trainer._precision import Precision
from nasctl.trainer._training import Training
from tests.small import CPU, Problem, same, train

LARGE = (
    "dataset.image_size=32",
    "dataset.limit_train=16",
    "trainer.batch_size=4",
    "trainer.epochs=3",
)  # an auxiliary head fits


def trace(monkeypatch, *overrides):
    """Train for three epochs of two steps; return what happened, by what a switch may change.

    ``shown``: inputs of the network; ``drawn``: the random stream at each forward pass; ``trained``: the weights as
    they were trained, after each step; ``kept``: those that are left in the network.
    """
    problem, seen = Problem(*LARGE, *overrides), {"shown": [], "drawn": [], "rates": [], "drops": [], "trained": []}
    network = problem.network()

    def look(module, inputs):
        if module.training:
            seen["shown"].append(inputs[0].clone())
            seen["drawn"].append(torch.get_rng_state())
            seen["drops"].append((module.drop_path.probability, module.drop_path.by_depth))

    add = Training.add
    monkeypatch.setattr(
        Training,
        "add",
        lambda self, *given: add(self, *given) or seen["trained"].append(deepcopy(weights_of(self.model))),
    )
    network.register_forward_pre_hook(look)
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: seen["rates"].append(optimizer.param_groups[0]["lr"]))
    _, lines = train(problem, network, choose_by=problem.data.val() if problem.trainer().held_out else None)
    hook.remove()
    monkeypatch.undo()
    return {
        **seen,
        "kept": weights_of(network),
        "batches": [entry for entry in problem.data.log if entry[0] == "train"],
        "scored": [entry for entry in problem.data.log if entry[0] == "val"],
        "layout": [w.stride() for w in network.parameters()],
        "type": {w.dtype for w in network.parameters()},
        "history": [sorted(line) for line in lines],
    }


def weights_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


WEIGHTS = {"trained", "kept"}
SWITCHES = {
    "cutout=0.5": WEIGHTS | {"shown"},
    "label_smoothing=0.1": WEIGHTS,
    "cutout_at=corner": set(),  # of no cutout
    "drop_path=0.5": WEIGHTS | {"drops"},
    "auxiliary_weight=0.4": WEIGHTS,
    "ema_decay=0.9": {"kept"},
    "accumulate=2": WEIGHTS | {"shown", "drawn", "drops"},  # twice as many forward passes
    "precision=bf16": WEIGHTS,
    "channels_last=false": WEIGHTS | {"layout"},
    "held_out=0.3": {"scored", "history"},
    "/schedule=linear": WEIGHTS | {"rates"},
    ".schedule.by=step": WEIGHTS | {"rates"},
    ".schedule.warmup=0.4": WEIGHTS | {"rates"},
    ".schedule.restarts=1": WEIGHTS | {"rates"},
    "nesterov=true": WEIGHTS,
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_changes_what_it_says_and_nothing_else(switch, monkeypatch):
    place = "trainer" if switch[0] in "./" else "trainer."
    off, on = trace(monkeypatch), trace(monkeypatch, f"{place}{switch}")
    assert {name for name in off if not same(off[name], on[name])} == SWITCHES[switch]


@pytest.mark.parametrize("trick", ["cutout=0.5", "ema_decay=0.9", "label_smoothing=0.1"])
def test_no_trick_changes_what_drop_path_drops(trick, monkeypatch):
    base = "trainer.drop_path=0.5"
    off, on = trace(monkeypatch, base), trace(monkeypatch, base, f"trainer.{trick}")
    assert {name for name in off if not same(off[name], on[name])} == SWITCHES[trick]


def test_drop_path_by_depth_changes_nothing_but_drop_path(monkeypatch):
    off, on = (
        trace(monkeypatch, "trainer.drop_path=0.5", f"trainer.drop_path_by_depth={b}") for b in ("false", "true")
    )
    assert {name for name in off if not same(off[name], on[name])} == WEIGHTS | {"drops"}


def test_with_every_switch_off_training_is_sgd_written_out_bit_for_bit():
    problem = Problem("trainer.clip=0.5", "trainer.momentum=0.9", "trainer.weight_decay=0.01")
    expected = problem.network().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(expected.parameters(), momentum=0.9, weight_decay=0.01)
    for position in range(6):
        optimizer.param_groups[0]["lr"] = [0.025, 0.0125][position // 3]
        torch.manual_seed(position_seed(0, "step", position))
        x, y = problem.data.train().batch(32, *divmod(position, 3))
        optimizer.zero_grad()
        problem.data.loss(expected.train()(x.contiguous(memory_format=torch.channels_last)), y).backward()
        nn.utils.clip_grad_norm_(expected.parameters(), 0.5)
        optimizer.step()
    assert same(train(problem)[0].state_dict(), expected.state_dict())


def test_label_smoothing_is_its_formula():
    """The target is (1 - e) of one class and e / K of all K."""
    trainer, problem = Problem("trainer.label_smoothing=0.2").trainer(), Problem()
    logits, y = torch.randn(6, 10, generator=torch.Generator().manual_seed(0)), torch.arange(6)
    target = 0.8 * nn.functional.one_hot(y, 10) + 0.2 / 10
    expected = -(target * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(trainer._loss(problem.data, logits, y), expected)
    torch.testing.assert_close(expected, nn.functional.cross_entropy(logits, y, label_smoothing=0.2))


def test_label_smoothing_smooths_the_auxiliary_loss_too():
    problem, y = Problem("trainer.label_smoothing=0.2", "trainer.auxiliary_weight=0.5"), torch.arange(6)
    outputs = torch.randn(2, 6, 10, generator=torch.Generator().manual_seed(0)).unbind()
    _, loss = problem.trainer()._forward(
        Precision("fp32", CPU), lambda x: outputs, problem.data, torch.ones(6, 1, 8, 8), y
    )
    first, second = (nn.functional.cross_entropy(logits, y, label_smoothing=0.2) for logits in outputs)
    torch.testing.assert_close(loss, first + 0.5 * second)


class Plain(nn.Sequential):
    """A network without norms, so an example's gradient does not depend on its batch."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


@pytest.mark.parametrize("parts", [2, 3, 8, 32])
def test_accumulation_equals_the_large_batch(parts):
    settings = "trainer.lr=0.1", "trainer.clip=0.5", "trainer.label_smoothing=0.1"
    whole, lines = train(Problem(*settings), Plain())
    parted, same_lines = train(Problem(*settings, f"trainer.accumulate={parts}"), Plain())
    torch.testing.assert_close(parted.state_dict(), whole.state_dict(), rtol=0, atol=1e-6)
    assert [line["loss"] for line in same_lines] == pytest.approx([line["loss"] for line in lines], abs=1e-6)
    assert [line["error"] for line in same_lines] == [line["error"] for line in lines]


def test_accumulation_runs_the_network_on_parts():
    problem, sizes, network = Problem("trainer.accumulate=3", "trainer.epochs=1"), [], Plain()
    network.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    train(problem, network)
    assert sizes == [11, 11, 10, 11, 11, 10, 3, 3, 2]


@pytest.mark.parametrize(
    "setting, sentence",
    [
        ("drop_path=0.2", r"trainer\.drop_path=0\.2: this network has none; set trainer\.drop_path=0"),
        (
            "auxiliary_weight=0.4",
            r"trainer\.auxiliary_weight=0\.4: .* no auxiliary head.*; set trainer\.auxiliary_weight=0",
        ),
        ("precision=fp16", r"trainer\.precision=fp16 needs a GPU.*; use fp32 or bf16"),
    ],
)
def test_what_network_or_device_lacks_is_refused_before_training(setting, sentence):
    problem, network = Problem(f"trainer.{setting}"), Plain()
    before = weights_of(network)
    with pytest.raises(RequestError, match=sentence):
        train(problem, network)
    assert same(before, weights_of(network)) and problem.data.log == []


def test_a_map_too_small_for_the_auxiliary_head_is_refused():
    with pytest.raises(RequestError, match="no auxiliary head"):
        train(Problem("trainer.auxiliary_weight=0.4"))
    train(Problem(*LARGE, "trainer.auxiliary_weight=0.4"))


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (["trainer.keep=best"], "trainer.keep=best has nothing to choose by; set trainer.held_out"),
        (["trainer/schedule=exponential", "trainer.schedule.lr_min=0"], r"schedule.lr_min=0: .* greater than 0"),
        (["trainer.schedule.lr_min=1"], r"trainer.schedule.lr_min \(1.0\) must be at most trainer.lr \(0.025\)"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, sentence):
    with pytest.raises(RequestError, match=sentence):
        Problem(*settings).trainer()
