"""How a mean policy moved, as a table and as a plot."""

import fabricate
import pytest

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.report.command import compare

ASKED = {"trajectory": "layer2", "format": "markdown", "plot": None, "overwrite": False}
POINTS = [
    {"turn": 1, "probabilities": {"layer1": {"2": 0.5, "4": 0.5}, "layer2": {"2": 0.25, "3": 0.75}}},
    {"turn": 50, "probabilities": {"layer1": {"2": 0.1, "4": 0.9}, "layer2": {"2": 0.875, "3": 0.125}}},
]


def test_the_probabilities_of_a_decision_are_shown_turn_by_turn(root):
    fabricate.search(root, label="TabNAS", trajectory=POINTS)
    fabricate.search(root, signature="other000")  # has none
    text = compare([str(root)], **ASKED)
    assert "| TabNAS | 1 | 0.250 | 0.750 |\n| TabNAS | 50 | 0.875 | 0.125 |" in text and text.count("| TabNAS") == 2


@pytest.mark.parametrize(
    "changes, message", [({"trajectory": "layer9"}, "unknown 'layer9'"), ({"format": "x"}, "format: unknown 'x'")]
)
def test_what_is_not_there_is_refused(root, changes, message):
    fabricate.search(root, trajectory=POINTS)
    with pytest.raises(RequestError, match=message):
        compare([str(root)], **ASKED | changes)


def test_runs_that_noted_nothing_are_refused(root):
    fabricate.search(root)
    with pytest.raises(RequestError, match="none of these runs recorded its policies"):
        compare([str(root)], **ASKED)


@pytest.mark.parametrize("runs", [1, 2])
def test_it_can_be_drawn(root, runs, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    for i in range(runs):
        fabricate.search(root, signature=f"{i}" * 8, trajectory=POINTS)
    file = tmp_path / "policy.png"
    assert cli.run(["compare", str(root), "trajectory=layer1", f"plot={file}"]) == 0
    assert "Mean probability" in capsys.readouterr().out and file.stat().st_size > 5000
