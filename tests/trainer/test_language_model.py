"""Training language models: the step written out, the averaging and its trigger, resume, rollback, refusals."""

import math
from copy import deepcopy

import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import nn

from nasctl.config.settings import conf_dir
from nasctl.errors import RequestError, RunError, TrialError
from nasctl.seeds import position_seed
from nasctl.trainer._mean import Mean, stalled
from nasctl.trainer.language_model import LanguageModel
from tests.marked import slow
from tests.small import CPU, Problem, same, session, through_a_file, train


def text(*overrides):
    return Problem(*overrides, estimator="language")


DROPPED = tuple(f"space.final.dropouts.{part}=0.2" for part in ("words", "input", "layer", "output"))
PLAIN = tuple(f"space.final.dropouts.{part}=0" for part in ("words", "input", "layer", "output"))


def steps_of(problem, split=None):
    split = problem.data.train() if split is None else split
    return [split.steps(4, epoch) for epoch in range(2)]


def written_out(problem, network, split, *, clip, lr, decay, ar_alpha, tar_beta, by_length):
    """Train two epochs by the plain formulas; return the mean loss of each."""
    means = []
    for epoch in range(2):
        hidden, total, count = network.init_hidden(4), 0.0, 0
        for step in range(split.steps(4, epoch)):
            torch.manual_seed(position_seed(0, "step", epoch, step))
            tokens, targets = split.batch(4, epoch, step)
            spoken = network.train()(tokens, [tuple(part.detach() for part in pair) for pair in hidden])
            hidden, raw = spoken.hidden, spoken.raw
            loss = nn.functional.cross_entropy(spoken.logits, targets)
            total, count = total + loss.item() * len(targets), count + len(targets)
            penalty = ar_alpha * (spoken.dropped**2).mean()
            if len(raw) > 1:
                penalty = penalty + tar_beta * ((raw[1:] - raw[:-1]) ** 2).mean()
            network.zero_grad()
            (loss + penalty).backward()
            nn.utils.clip_grad_norm_(network.parameters(), clip)
            rate = lr * (len(tokens) / 6 if by_length else 1)
            with torch.no_grad():
                for weight in network.parameters():
                    weight -= rate * (weight.grad + decay * weight)
        means.append(total / count)
    return means


@pytest.mark.parametrize("part", ["train", "full"])
@pytest.mark.parametrize(("ar_alpha", "tar_beta", "by_length"), [(0, 0, True), (2.0, 0, False), (0, 1.0, True)])
def test_two_epochs_are_sgd_written_out(part, ar_alpha, tar_beta, by_length):
    settings = {"clip": 0.1, "ar_alpha": ar_alpha, "tar_beta": tar_beta, "lr_by_length": str(by_length).lower()}
    changes = [f"trainer.{name}={value}" for name, value in settings.items()]
    problem = text(*DROPPED, *changes, "trainer.lr=2", "trainer.weight_decay=0.01")
    split = getattr(problem.data, part)()
    network, expected = problem.network(), problem.network()
    means = written_out(
        problem, expected, split,
        clip=0.1, lr=2, decay=0.01, ar_alpha=ar_alpha, tar_beta=tar_beta, by_length=by_length,
    )  # fmt: skip
    _, lines = train(problem, network, split=split)
    torch.testing.assert_close(network.state_dict(), expected.state_dict(), rtol=1e-4, atol=1e-6)
    assert [line["loss"] for line in lines] == pytest.approx(means, rel=1e-5)
    assert [line["perplexity"] for line in lines] == pytest.approx([math.exp(mean) for mean in means], rel=1e-5)


def test_the_rate_decays_after_some_epochs():
    problem = text(
        "trainer.lr=4", "trainer.schedule.lr_decay=0.5", "trainer.schedule.lr_decay_from=2", "trainer.epochs=4"
    )
    _, lines = train(problem)
    assert [line["lr"] for line in lines] == [4, 4, 2, 1]


@pytest.mark.parametrize("epochs, ran", [(None, 2), (1, 1)])
def test_epochs_shorten_the_training(epochs, ran):
    assert [line["epoch"] for line in train(text(), epochs=epochs)[1]] == list(range(ran))


@pytest.mark.parametrize(
    ("losses", "loss", "patience", "expected"),
    [
        ([5, 4, 3], 9, 3, False),  # as many as are forgiven
        ([5, 4, 3, 3], 5.1, 3, True),
        ([5, 4, 3, 3], 5.0, 3, False),  # equal is not above
        ([3, 5, 5], 4, 2, True),
        ([5, 3, 5], 4, 2, False),  # the least one is among the last two
        ([2, 2, 2, 2, 2], 2.1, 1, True),
        ([], 1, 1, False),
    ],
)
def test_validation_stalls_above_the_least_of_all_but_the_last_losses(losses, loss, patience, expected):
    assert stalled(losses, loss, patience) is expected


def test_the_mean_is_that_of_the_weights_after_each_step():
    network = nn.Linear(3, 2)
    mean, seen = Mean(network), []
    assert same(mean.weights, network.state_dict())
    for value in (1.0, 2.0, 6.0, -3.0):
        nn.init.constant_(network.weight, value)
        nn.init.constant_(network.bias, 2 * value)
        mean.update(network)
        seen.append(value)
        expected = sum(seen) / len(seen)
        assert mean.weights["weight"] == pytest.approx(expected) and mean.weights["bias"] == pytest.approx(2 * expected)


def test_the_mean_is_asgds_less_the_step_that_it_forgets():
    torch.manual_seed(0)
    network, plain = nn.Linear(3, 2), nn.Linear(3, 2)
    plain.load_state_dict(network.state_dict())
    asgd, sgd = torch.optim.ASGD(network.parameters(), 0.1, lambd=0, t0=0), torch.optim.SGD(plain.parameters(), 0.1)
    mean = None
    for step in range(6):
        for model, optimizer in ((network, asgd), (plain, sgd)):
            optimizer.zero_grad()
            model(torch.full((1, 3), float(step))).square().sum().backward()
            optimizer.step()
        mean = mean or (Mean(plain) if step == 1 else None)  # ASGD forgets the first
        if mean:
            mean.update(plain)
    torch.testing.assert_close(mean.weights["weight"], asgd.state[network.weight]["ax"])


AVERAGING = ("trainer.averaging=true", "trainer.patience=1", "trainer.epochs=6")


def scripted(monkeypatch, losses):
    """Let validation after each epoch find these losses; return what weights it was made with."""
    seen, left = [], list(losses)

    def evaluate(self, model, dataset, split):
        seen.append(deepcopy(model.state_dict()))
        loss = left.pop(0)
        if not math.isfinite(loss):
            raise TrialError(f"loss is {loss} after the last step; lower trainer.lr or trainer.clip")
        return {"loss": loss, "perplexity": math.exp(loss)}

    monkeypatch.setattr(LanguageModel, "evaluate", evaluate)
    return seen


def fit(problem, network=None, *, keep="best", state=None, tick=lambda state, values: None, split=None):
    network = problem.network() if network is None else network
    lines, trainer = [], problem.trainer()
    trainer.keep = keep
    trained = trainer.fit(
        network, problem.data, problem.data.train() if split is None else split,
        session(tick=tick, record=lines.append, state=state, choose_by=problem.data.val()),
    )  # fmt: skip
    return network, trained, lines


def test_averaging_begins_after_the_epoch_that_stalls_and_its_mean_is_what_is_validated(monkeypatch):
    problem, weights = text(*AVERAGING), []
    seen = scripted(monkeypatch, [5, 4, 4.5, 4.2, 4.1, 3.9])
    network, trained, lines = fit(
        problem, keep="last", tick=lambda state, values: weights.append(deepcopy(state()["model"]))
    )
    steps = problem.data.train().steps(4, 0)
    assert [line["averaged"] for line in lines] == [False, False, False, False, True, True]  # 4.2 is above 4
    assert [line["held_out_loss"] for line in lines] == [5, 4, 4.5, 4.2, 4.1, 3.9]
    for epoch in range(6):
        first = 4 * steps if epoch >= 4 else (epoch + 1) * steps - 1
        mean = torch.stack([w["embedding"] for w in weights[first : (epoch + 1) * steps]]).mean(0)
        torch.testing.assert_close(seen[epoch]["embedding"], mean, rtol=1e-5, atol=1e-7)
    assert same(network.state_dict(), seen[5])
    assert trained.record() == {
        "name": "last",
        "epoch": 5,
        "averaged": True,
        "held_out": {"loss": 3.9, "perplexity": math.exp(3.9)},
    }


def test_without_averaging_nothing_is_averaged(monkeypatch):
    scripted(monkeypatch, [5, 4, 6, 6, 6, 6])
    _, trained, lines = fit(text(*AVERAGING, "trainer.averaging=false"))
    assert not any(line["averaged"] for line in lines) and trained.record()["averaged"] is False


def test_the_best_weights_are_those_of_the_lowest_validation_loss_averaged_or_not(monkeypatch):
    seen = scripted(monkeypatch, [5, 3, 4.5, 4.2, 4.1, 3.9])
    network, trained, _ = fit(text(*AVERAGING))
    assert same(network.state_dict(), seen[1]) and same(trained.others["last"], seen[5])
    told = {"name": "best", "epoch": 1, "averaged": False, "held_out": {"loss": 3, "perplexity": math.exp(3)}}
    assert trained.record() == told
    scripted(monkeypatch, [5, 3, 4.5, 4.2, 2.0, 3.9])
    assert fit(text(*AVERAGING))[1].record()["averaged"] is True


SWITCHES = {
    "none": (),
    "dropouts": (*DROPPED, "space.final.weight_dropout=0.3"),
    "penalties": ("trainer.ar_alpha=2", "trainer.tar_beta=1"),
    "averaging": (*AVERAGING, "trainer.epochs=5"),
    "rollback": ("trainer.rollback=true", "trainer.epochs=3"),
    "bf16": ("trainer.precision=bf16",),
}


class Breaking:
    """A split whose batch at one position ruins the network."""

    def __init__(self, split, network, epoch, step):
        self.split, self.network, self.position = split, network, (epoch, step)

    def batch(self, size, epoch, step):
        if (epoch, step) == self.position:
            nn.init.constant_(self.network.bias, math.nan)
        return self.split.batch(size, epoch, step)

    def __getattr__(self, name):
        return getattr(self.split, name)


@pytest.mark.parametrize("switch", slow(SWITCHES, "none", "penalties", "bf16"))
def test_a_run_resumed_at_any_step_ends_as_one_never_interrupted(switch, monkeypatch):
    losses = {"averaging": [5, 4, 4.5, 4.2, 4.1], "rollback": [5, 4]}.get(switch)
    problem, states = text(*SWITCHES[switch]), []

    def run(network, **settings):
        split = problem.data.full()
        return fit(
            problem, network, split=Breaking(split, network, 1, 2) if switch == "rollback" else split, **settings
        )

    if losses:
        scripted(monkeypatch, losses)
    whole, trained, lines = run(problem.network(), tick=lambda state, values: states.append(through_a_file(state())))
    assert len(states) == sum(problem.data.full().steps(4, epoch) for epoch in range(problem.trainer().epochs))
    assert any(state["step"] and state["hidden"] is not None for state in states)  # in mid-epoch
    assert switch != "averaging" or any(state["average"] for state in states)
    assert switch != "rollback" or trained.rolled_back == [1]
    for state in states:
        torch.manual_seed(3)
        if losses:
            validated = state["epoch"] - (switch == "rollback" and state["epoch"] > 1)  # epoch 1 never came to that
            scripted(monkeypatch, losses[validated:])
        resumed, again, rest = run(problem.network(seed=9), state=state)
        place = f"resumed at {state['epoch']}, {state['step']}"
        assert same(resumed.state_dict(), whole.state_dict()), place
        assert same(dict(again.others), dict(trained.others)) and again.record() == trained.record(), place
        assert rest == lines[state["epoch"] :], place


def test_the_state_that_is_carried_is_part_of_the_checkpoint():
    problem, states = text(), []
    whole, _ = train(problem, tick=lambda state, values: states.append(through_a_file(state())))
    states[0]["hidden"] = [tuple(part + 1 for part in pair) for pair in states[0]["hidden"]]
    other, _ = train(problem, problem.network(seed=9), state=states[0])
    assert not same(other.state_dict(), whole.state_dict())


def test_a_loss_that_is_no_number_names_its_step():
    problem, network = text(), text().network()
    step = steps_of(problem)[0] + 1
    with pytest.raises(RunError, match=rf"training loss is nan at step {step}; lower trainer.lr or trainer.clip"):
        train(problem, network, split=Breaking(problem.data.train(), network, 1, 1))


ROLLBACK = ("trainer.rollback=true", "trainer.epochs=4", *PLAIN)


def test_rollback_goes_on_from_the_best_weights_and_says_so(monkeypatch):
    problem = text(*ROLLBACK)
    network = problem.network()
    seen = scripted(monkeypatch, [3, 5, 1])  # epochs 0, 1 and 3
    split, before = Breaking(problem.data.train(), network, 2, 1), []

    def tick(state, values):
        before.append((state()["epoch"], state()["step"], deepcopy(state()["model"])))

    _, trained, lines = fit(problem, network, split=split, tick=tick)
    assert [line.get("rolled_back_to") for line in lines] == [None, None, 0, None]
    assert lines[2].keys() == {"epoch", "lr", "rolled_back_to", "reason"}
    assert lines[2]["reason"].startswith("training loss is nan at step ")
    assert same(next(model for epoch, step, model in before if (epoch, step) == (3, 0)), seen[0])
    assert trained.record()["rolled_back"] == [2] and trained.epoch == 3


def test_rollback_also_follows_a_validation_that_is_no_number_and_begins_the_average_anew(monkeypatch):
    problem, averages = text(*AVERAGING, "trainer.rollback=true"), []
    scripted(monkeypatch, [3, 2, 4, 4, math.nan, 1])
    _, trained, lines = fit(problem, tick=lambda state, values: averages.append((state()["epoch"], state()["average"])))
    assert [line.get("rolled_back_to") for line in lines] == [None, None, None, None, 1, None]
    after = [average for epoch, average in averages if epoch == 5]
    assert [average["steps"] for average in after][:2] == [0, 1] and trained.rolled_back == [4]


def test_rollback_without_weights_to_go_back_to_ends_the_training():
    problem = text(*ROLLBACK)
    network = problem.network()
    with pytest.raises(RunError, match="training loss is nan at step 0;"):
        fit(problem, network, split=Breaking(problem.data.train(), network, 0, 0))


@pytest.mark.parametrize(("part", "size"), [("val", 2), ("val", 3), ("test", 8)])
def test_evaluation_reads_the_whole_part_with_its_state(part, size):
    problem = text(*DROPPED, f"trainer.eval_batch_size={size}")
    network, _ = train(problem)
    split = getattr(problem.data, part)()
    metrics = problem.trainer().evaluate(network, problem.data, split)
    columns = 1 if part == "test" else size
    rows = len(split.tokens) // columns
    laid_out = split.tokens[: rows * columns].view(columns, rows).t()
    with torch.no_grad():
        logits = network.eval()(laid_out[:-1], network.init_hidden(columns)).logits
    loss = nn.functional.cross_entropy(logits, laid_out[1:].reshape(-1)).item()
    assert metrics == {"loss": pytest.approx(loss, rel=1e-5), "perplexity": pytest.approx(math.exp(loss), rel=1e-4)}


def test_evaluation_of_a_broken_network_is_refused():
    problem, network = text(), text().network()
    nn.init.constant_(network.bias, math.nan)
    with pytest.raises(RunError, match=r"loss is nan after the last step; lower trainer.lr"):
        problem.trainer().evaluate(network, problem.data, problem.data.val())


def test_the_tick_shows_how_far_it_is_and_the_last_epochs_perplexity():
    problem, seen = text(), []
    _, lines = train(problem, tick=lambda state, values: seen.append(values))
    first, second = steps_of(problem)
    shares = [(i + 1) / first / 2 for i in range(first)] + [0.5 + (i + 1) / second / 2 for i in range(second)]
    assert [values["share"] for values in seen] == pytest.approx(shares)
    assert all(isinstance(values["loss"], torch.Tensor) for values in seen)
    assert seen[0]["perplexity"] is None and seen[first]["perplexity"] == lines[0]["perplexity"]


@pytest.fixture
def no_waiting(monkeypatch):
    """Return a function from which on every call that would wait for a device raises."""

    def refuse(*_):
        raise AssertionError("waited for the device")

    def start():
        for name in ("item", "cpu", "tolist", "numpy", "__bool__", "__int__", "__float__", "__index__"):
            monkeypatch.setattr(torch.Tensor, name, refuse)

    yield start
    monkeypatch.undo()


class StopError(Exception):
    """Ends a training at a tick."""


@pytest.mark.parametrize("settings", [(), (*DROPPED, "trainer.ar_alpha=2", "trainer.tar_beta=1"), SWITCHES["bf16"]])
def test_no_step_waits_for_the_device(no_waiting, settings):
    problem, ticks = text(*settings, "space.final.weight_dropout=0.5"), []
    network = problem.network()
    problem.data.train().batch(4, 0, 0)  # the text is read once

    def tick(state, values):
        ticks.append(values)
        if len(ticks) == 2:
            raise StopError

    no_waiting()
    with pytest.raises(StopError):
        train(problem, network, tick=tick)


def test_networks_of_the_other_kind_are_refused_by_both_trainers():
    with pytest.raises(
        RequestError, match=r"language models are trained by this one, but the network is none; .*plain"
    ):
        text().trainer().check(nn.Linear(1, 1), CPU)
    with pytest.raises(RequestError, match=r"the network is a language model; choose trainer=language_model"):
        Problem().trainer().check(text().network(), CPU)
    images = Problem()
    with pytest.raises(RequestError, match=r"the data set's task is image_classification; choose .* dataset=ptb"):
        text().trainer().evaluate(text().network(), images.data, images.data.val())


def test_half_precision_needs_a_gpu():
    with pytest.raises(RequestError, match=r"trainer.precision=fp16 needs a GPU"):
        text("trainer.precision=fp16").trainer().check(text().network(), CPU)


def test_a_network_with_a_fast_path_is_compiled_where_asked_for():
    problem, asked = text("trainer.compile=true", "trainer.epochs=1"), []
    network = problem.network()
    network.compile_step = asked.append
    train(problem, network)
    assert asked == ["trainer.compile"]
    train(problem)  # one without goes on as it is


PRESETS = {
    "awd_lstm": {
        "epochs": 500, "lr": 30, "weight_decay": 1.2e-6, "ar_alpha": 2, "tar_beta": 1, "averaging": True,
    },
    "darts_rnn": {
        "batch_size": 64, "epochs": 8000, "weight_decay": 8e-7, "tar_beta": 1e-3, "averaging": True, "rollback": True,
    },
}  # fmt: skip
"""Merity et al. 2018 with the authors' command for the Penn Treebank; Liu et al. 2019 with theirs."""


def settings(recipe):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return dict(compose("config", [f"trainer={recipe}"]).trainer)


@pytest.mark.parametrize("recipe", PRESETS)
def test_a_recipe_differs_from_the_plain_one_in_its_tricks(recipe):
    plain, own = settings("language_model"), settings(recipe)
    assert {name: value for name, value in own.items() if value != plain[name]} == PRESETS[recipe]
    off = ("ar_alpha", "tar_beta", "averaging", "weight_decay", "rollback", "compile")
    assert not any(plain[name] for name in off) and plain["clip"] == 0.25 and plain["patience"] == 5
