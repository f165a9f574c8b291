"""A class of one's own that lacks a part of its protocol is refused before anything is trained."""

from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.config.build import target
from nasctl.config.collaborators import check_space, trainable
from nasctl.config.conformity import PROTOCOLS, conforming, members
from nasctl.errors import RequestError
from tests.doors.chain import Chain
from tests.doors.test_walks import SEARCH, SIZE
from tests.space.contract.subject import subject

NAMES = {
    **{"space": "genotype", "space.format": "canonical", "strategy": "derive", "estimator": "fingerprint"},
    **{"dataset": "held_out", "trainer": "check"},
}


@pytest.mark.parametrize(("group", "lacking"), NAMES.items())
def test_what_is_missing_is_named(group: str, lacking: str) -> None:
    parts = {name: None for name in members(PROTOCOLS[group]) if name != lacking}
    made = type("Mine", (), parts)()
    with pytest.raises(RequestError, match=rf"{group}: .*Mine lacks {lacking}; add what nasctl\.core\.\w+ describes"):
        conforming(made, group)
    made.__dict__[lacking] = None  # an attribute of the object is as good as one of its class
    assert conforming(made, group) is made


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        ("supernet.Supernet", "lstm", "share no weights; train each by estimator=from_scratch"),
        ("supernet.Supernet", "toy", "builds no networks; choose another space"),
        ("from_scratch.FromScratch", "toy", "builds no networks; choose another space"),
        ("zero_cost.ZeroCost", "toy", "builds no networks; choose another space"),
    ],
)
def test_a_space_that_cannot_do_what_an_estimator_asks_of_it_is_refused(module: str, name: str, text: str) -> None:
    kind, space = target({"_target_": f"nasctl.estimator.{module}"}), subject(name).space
    with pytest.raises(RequestError, match=rf"^estimator=it: space={name} .*{text}"):
        check_space("estimator=it", kind, name, space)
    check_space("estimator=it", kind, "darts", subject("darts").space)


def test_a_space_without_networks_is_not_retrained() -> None:
    with pytest.raises(RequestError, match="space=toy has costs but builds no networks; choose another space to train"):
        trainable(subject("toy").space)


def test_a_search_in_a_space_that_lacks_a_part_ends_before_its_first_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(Chain, "genotype")
    assert cli.run([*SEARCH, *SIZE, "strategy=random_search", "run_dir=run"]) == 2
    assert "space: tests.doors.chain.Chain lacks genotype; add what" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
