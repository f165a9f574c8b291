"""Parts of a choice: nested nodes, lists of them, factories, and the sentence for what does not fit."""

from collections.abc import Callable
from dataclasses import fields
from typing import Protocol

import pytest

from nasctl.config import parts
from nasctl.config.build import make, validate
from nasctl.config.settings import Settings
from nasctl.errors import RequestError
from nasctl.estimator.score import Score


class Scale(Protocol):
    def scaled(self, number: int) -> int: ...


class Times:
    def __init__(self, *, factor: int) -> None:
        self.factor = factor

    def scaled(self, number):
        return number * self.factor


class Offset:
    """Takes a collaborator, so that its owner is handed a factory."""

    def __init__(self, start, *, then: Scale) -> None:
        self.start, self.then = start, then

    def scaled(self, number):
        return self.then.scaled(number + self.start)


class Mute:
    def __init__(self, *, factor: int) -> None: ...


class Owner:
    def __init__(
        self, name, *, one: Scale, many: list[Scale], maybe: Scale | None, made: Callable[[int], Scale]
    ) -> None:
        self.name, self.one, self.many, self.maybe, self.made = name, one, many, maybe, made


HERE = "tests.test_parts."
TWICE = {"_target_": HERE + "Times", "factor": "2"}
NODE = {
    "_target_": HERE + "Owner",
    "one": TWICE,
    "many": [TWICE, {**TWICE, "factor": 3}],
    "maybe": None,
    "made": {"_target_": HERE + "Offset", "then": TWICE},
}


def test_parts_are_built_alone_in_lists_and_as_factories():
    owner = make(NODE, "mine")
    assert owner.name == "mine" and owner.one.scaled(5) == 10 and owner.maybe is None
    assert [part.scaled(5) for part in owner.many] == [10, 15]
    assert owner.made(100).scaled(5) == 210


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"one": 3}, "strategy.one=3: is not a part with settings of its own; give a node with a _target_, or a list"),
        (
            {"one": None},
            "strategy.one=None: is not a part with settings of its own; give a node with a _target_, or a list",
        ),
        ({"many": TWICE}, "strategy.many={'_target_'"),
        (
            {"many": [3]},
            "strategy.many.0=3: is not a part with settings of its own; give a node with a _target_, or a list",
        ),
        ({"many": [{**TWICE, "factor": "x"}]}, "strategy.many.0.factor='x': input should be a valid integer"),
        ({"made": {**NODE["made"], "then": {**TWICE, "facto": 1}}}, "strategy.made.then: unknown 'facto'; did you"),
        ({"one": {"_target_": HERE + "Mute", "factor": 1}}, f"strategy.one: {HERE}Mute in {__file__} lacks scaled; "),
        ({"made": {"_target_": HERE + "Mute", "factor": 1}}, "lacks scaled; add what tests.test_parts.Scale describes"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_before_anything_is_built(change, sentence):
    config = {field.name: None for field in fields(Settings)} | {"strategy": NODE | change}
    with pytest.raises(RequestError) as refused:
        validate(config, ("strategy",))
    assert sentence in str(refused.value)


def test_an_attribute_that_a_class_without_a_constructor_lacks_is_named() -> None:
    class Half:
        name = "half"

        def score(self, candidate: object) -> float:
            return 0.5

    [said] = parts.lacking(Half, Score, "estimator.score")
    assert "lacks reads_data, tasks; add what nasctl.estimator.score._untrained.Score describes" in said


def test_a_part_that_is_no_part_is_answered_with_the_choices_of_its_group():
    config = {field.name: None for field in fields(Settings)}
    with pytest.raises(
        RequestError, match=r"strategy\.policy='lstm': is not a part .* choose strategy/policy=..., one of "
    ):
        validate(config | {"strategy": {"_target_": HERE + "Learner", "policy": "lstm"}}, ("strategy",))


class Learner:
    def __init__(self, *, policy: Scale) -> None: ...
