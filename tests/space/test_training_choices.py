"""A space composed with training choices: its walks, its networks, and what is refused before anything is trained."""

import pytest

from nasctl import walk
from nasctl.cli import main as cli
from nasctl.core import ChoicesByKind, Decision, FixedChoices, TabularState
from nasctl.errors import RequestError
from nasctl.space._training import with_training
from tests.small import Problem

CHOICES = {"lr": [0.01, 0.1, 1.0], "nesterov": [True, False]}


def test_a_fixed_space_stays_one_and_each_network_is_there_with_each_training():
    plain = Problem("space.widths=[4,6]", estimator="stacked").space
    space = with_training(plain, CHOICES)
    assert isinstance(space, FixedChoices) and space.size == 6 * plain.size
    archs = list(walk.every(space))
    assert len(set(archs)) == space.size and space.training(archs[-1]) == {"lr": 1.0, "nesterov": False}
    assert [decision.name for decision in space.decisions[:2]] == ["trainer.lr", "trainer.nesterov"]
    assert space.decisions[1].options == ("true", "false") and space.decisions[0].kind != space.decisions[1].kind
    assert space.genotype(archs[-1]) == plain.genotype(archs[-1][2:])
    assert len(list(space.trainings())) == 6


class Walked:
    """A space whose second decision connects to the first, or to an input of the cell."""

    format, num_operations, size = None, 2, None
    kinds = (Decision("node", "node", ("a", "b")),)

    def decision(self, prefix):
        if len(prefix) == 2:
            return None
        return Decision("edge", "edge", ("no", "yes"), inputs=(0, -1)) if prefix else self.kinds[0]

    def complete(self, prefix):
        return len(prefix) == 2

    def state(self, prefix):
        return len(prefix)


def test_positions_of_inputs_and_states_follow_the_training_decisions():
    space = with_training(Walked(), CHOICES)
    assert not isinstance(space, FixedChoices) and isinstance(space, ChoicesByKind) and isinstance(space, TabularState)
    assert [kind.kind for kind in space.kinds] == ["training lr", "training nesterov", "node"]
    assert space.decision((0, 1, 1)).inputs == (2, -1) and space.decision((0, 1, 1, 1)) is None
    assert [space.complete(prefix) for prefix in ((0, 1), (0, 1, 1), (0, 1, 1, 0))] == [False, False, True]
    assert space.state((0,)) != space.state((1,)) and space.state((0, 1, 1)) == (0, 1, 1) == space.state((0, 1, 0))
    assert space.size is None


SEARCH = ["search", "space=ffn", "dataset=breast_cancer", "trainer=ffn", "strategy=random_search", "budget.trials=2"]


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ("{momentun: [0.1, 0.2]}", "trainer: unknown 'momentun'; did you mean 'momentum'?"),
        ("{momentum: [0.5, 1.5]}", "momentum=1.5: input should be less than 1"),
        ("{schedule: [cosine, linear]}", "trainer: unknown 'schedule'"),
        ("{schedule.lr_min: [0, 9]}", "trainer.schedule.lr_min (9.0) must be at most trainer.lr (0.3)"),
        ("{lr: []}", "training_choices.lr=[]: needs different values to choose from"),
        ("{lr: [0.1, 0.1]}", "training_choices.lr=[0.1, 0.1]: needs different values"),
        ("{epochs: [1, 2]}", "training_choices.epochs: a search trains each candidate for estimator.epochs"),
        ("{lr: [[1]]}", "training_choices.lr"),
        ("3", "training_choices"),
    ],
)
def test_what_the_trainer_does_not_take_is_refused_before_anything_is_trained(choices, sentence, tmp_path, capsys):
    command = [*SEARCH, "estimator=from_scratch", f"training_choices={choices}", f"run_dir={tmp_path / 'run'}"]
    assert cli.run(command) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_shared_weights_have_no_training_choices(tmp_path, capsys):
    command = [*SEARCH, "estimator=supernet", "training_choices={lr: [1, 2]}", f"run_dir={tmp_path / 'run'}"]
    assert cli.run(command) == 2
    assert "estimator=supernet trains no candidate on its own" in capsys.readouterr().err


def test_combinations_of_very_many_settings_are_checked_one_by_one():
    plain = Problem("space.widths=[4,6]", estimator="stacked").space
    space = with_training(plain, {name: list(range(11)) for name in ("a", "b", "c")})
    assert len(list(space.trainings())) == 33
    with pytest.raises(RequestError, match="needs different values"):
        with_training(plain, {"a": []})


def test_a_rank_correlation_takes_none(capsys):
    command = ["correlate", "nowhere", "space=ffn", "dataset=breast_cancer", "training_choices={lr: [1, 2]}"]
    assert cli.run(command) == 2
    assert "training_choices: shared weights are trained in one way; leave it out" in capsys.readouterr().err
