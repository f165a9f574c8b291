"""The front of a search's trials: what is on it, the reference, and requests that cannot be met."""

import csv
import io
import itertools
import json
import math
import random
import sys

import fabricate
import pytest
import yaml

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.report.command import compare
from nasctl.report.view.pareto import Front, Point, _drawn, front, hypervolume, reference

SETTINGS = {"pareto": "params", "format": "markdown", "plot": None, "overwrite": False}
WIDTHS = {"layer1": ["8", "64"], "layer2": ["8", "32"]}
TRIALS = {  # params, loss, bottlenecks
    (0, 0): (100, 0.9, 0),
    (0, 1): (200, 0.5, 1),
    (1, 0): (300, 0.6, 1),
    (1, 1): (900, 0.4, 0),
}


def trial(arch, metrics):
    return {"index": 0, "arch": list(arch), "relaxed": False, "reward": 0.0, "metrics": metrics, "error": None}


@pytest.fixture
def sweep(root):
    """Write a search with four trials and one that failed."""
    lines = [
        trial(arch, {"params": p, "loss": loss, "error": 20.0, "bottlenecks": b})
        for arch, (p, loss, b) in TRIALS.items()
    ]
    return write(fabricate.search(root, trials=(*lines, trial((0, 0), None))))


def write(folder):
    config = yaml.safe_load((folder / "config.yaml").read_text()) | {"reward": {"name": "loss", "maximize": False}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "decisions.json").write_text(json.dumps(WIDTHS))
    return folder


def test_what_several_runs_evaluated_counts_by_its_mean(root, sweep):
    again = [trial(arch, {"params": p, "loss": loss + 0.2, "error": 30.0}) for arch, (p, loss, _) in TRIALS.items()]
    write(fabricate.search(root, seed=1, trials=tuple(again)))
    text = compare([str(root)], **SETTINGS)
    assert "3 of 4 architectures are on the front" in text
    assert "| 8-32 | 200 | 0.6 ± 0.14 (n=2) | 25 |" in text and "loss is the mean of up to 2 evaluations" in text


def test_what_searches_of_other_settings_evaluated_stays_apart(root, sweep):
    write(fabricate.search(root, signature="other", trials=(trial((0, 1), {"params": 200, "loss": 0.3}),)))
    text = compare([str(root)], **SETTINGS)
    assert "2 of 5 architectures are on the front" in text
    assert "| 8-32 | 200 | 0.3 |" in text and "is the mean of" not in text


def test_architectures_of_a_space_without_decisions_have_their_numbers_as_names(root):
    lengths = {(0,): (100, 0.9), (1, 2): (200, 0.5), (1, 0, 3): (300, 0.4)}
    lines = (trial(arch, {"params": p, "loss": loss}) for arch, (p, loss) in lengths.items())
    folder = write(fabricate.search(root, trials=tuple(lines), space_size=None))
    (folder / "decisions.json").unlink()
    text = compare([str(root)], **SETTINGS)
    assert "| 0 | 100 | 0.9 |" in text and "| 1-2 | 200 | 0.5 |" in text and "| 1-0-3 | 300 | 0.4 |" in text


def test_costs_beside_the_metrics_and_those_among_them_are_one_front(root, sweep):
    own = {"loss": 0.45, "error": 20.0}
    new = [trial((0, 0), own) | {"costs": {"params": 150, "energy_mj": 7.5}}]
    new += [trial((0, 1), {"loss": 0.1}) | {"costs": {"params": 150, "energy_mj": 7.5}, "fidelity": 0.5}]
    write(fabricate.search(root, signature="today", trials=tuple(new)))
    text = compare([str(root)], **SETTINGS)
    assert "3 of 5 architectures are on the front" in text and "| 8-8 | 150 | 0.45 | 20 |" in text
    assert "Left out: 1 trials of a lower fidelity" in text
    assert "| 8-8 | 7.5 | 0.45 |" in compare([str(root)], **SETTINGS | {"pareto": "energy_mj"})


def test_csv_and_json_hold_every_architecture_with_full_numbers(root, sweep):
    lines = list(csv.DictReader(io.StringIO(compare([str(root)], **SETTINGS | {"format": "csv"}))))
    assert {line["architecture"]: line["on_front"] for line in lines} == {
        "8-8": "True", "8-32": "True", "64-8": "False", "64-32": "True",
    }  # fmt: skip
    found = json.loads(compare([str(root)], **SETTINGS | {"format": "json"}))["points"][1]
    assert (found["params"], found["loss"], found["n"], found["loss_std"]) == (200, 0.5, 1, None)


def points(values):
    return [Point(str(i), cost, value, {}) for i, (cost, value) in enumerate(values)]


def test_the_front_is_what_no_other_point_beats():
    draw = random.Random(0)
    made = points([(draw.randrange(1, 30), draw.randrange(30)) for _ in range(200)])
    found = front(made)
    for point in made:
        beaten = any(
            o.cost <= point.cost and o.value <= point.value and o != point for o in made if o.name != point.name
        )
        same = any((o.cost, o.value) == (point.cost, point.value) for o in found)
        assert same or beaten
    assert all(a.cost < b.cost and a.value > b.value for a, b in itertools.pairwise(found))


def test_of_equal_points_one_is_on_the_front():
    assert len(front(points([(1, 1), (1, 1), (2, 1)]))) == 1


def test_the_reference_is_the_knee_and_a_bottleneck_where_there_is_one():
    line = points([(1, 1.0), (10, 0.3), (100, 0.2), (1000, 0.0)])
    assert reference(line).name == "1"
    narrow = [Point(p.name, p.cost, p.value, {"bottlenecks": int(p.name == "2")}) for p in line]
    assert reference(narrow).name == "2"
    assert reference(line[:1]).name == "0" and reference(line[:2]).name == "0"


def test_the_table_names_marks_and_counts(sweep):
    text = compare([str(sweep)], **SETTINGS)
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert rows == [
        "| 8-8 | 100 | 0.9 | 20 |  |",
        "| 8-32 | 200 | 0.5 | 20 | bottleneck, reference |",
        "| 64-32 | 900 | 0.4 | 20 |  |",
    ]
    assert "3 of 4 architectures are on the front; 1 of these have a bottleneck, which 2 of all have." in text
    assert (
        "reference: 8-32, the knee; its cost as the limit of a search: constraint=params constraint.limit=200" in text
    )


def test_what_is_maximised_is_turned_round(sweep):
    config = yaml.safe_load((sweep / "config.yaml").read_text()) | {"reward": {"name": "loss", "maximize": True}}
    (sweep / "config.yaml").write_text(yaml.safe_dump(config))
    assert "1 of 4 architectures are on the front" in compare([str(sweep)], **SETTINGS)


def test_what_is_maximised_is_drawn_as_it_was_measured():
    pytest.importorskip("matplotlib")
    points = [Point("a", 10.0, -0.8, {"accuracy": 0.8}), Point("b", 20.0, -0.9, {"accuracy": 0.9})]
    (axes,) = _drawn([Front((), points, points, [])], "params", "accuracy").axes
    assert list(axes.lines[0].get_ydata()) == [0.8, 0.9] and axes.get_ylabel() == "accuracy"


def test_the_plot_is_drawn_and_not_overwritten(sweep, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "front.png"
    compare([str(sweep)], **SETTINGS | {"plot": str(file)})
    assert file.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RequestError, match=r"front\.png: exists already; .*overwrite=true"):
        compare([str(sweep)], **SETTINGS | {"plot": str(file)})
    compare([str(sweep)], **SETTINGS | {"plot": str(file), "overwrite": True})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"pareto": "macs"},
            "no trial of these runs has both macs and loss; they record params, loss, error, bottlenecks; name one",
        ),
        ({"format": "cvs"}, "format: unknown 'cvs'"),
        ({"format": "runs_csv"}, "this view has no rows of runs; leave the view out"),
        ({"metric": "auc"}, "metric and pareto are two views; give one of them"),
        ({"overwrite": "maybe"}, "overwrite=maybe: must be true or false"),
        ({"plot": "front.gif"}, r"a file ending in \.gif cannot be drawn; use pdf, png, svg"),
    ],
)
def test_what_cannot_be_shown_is_refused(sweep, change, sentence):
    with pytest.raises(RequestError, match=sentence):
        compare([str(sweep)], **SETTINGS | change)


def test_runs_of_two_metrics_are_refused(sweep, root):
    other = fabricate.search(root, signature="bbbb", seed=3)
    config = yaml.safe_load((other / "config.yaml").read_text()) | {"reward": {"name": "auc", "maximize": True}}
    (other / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(RequestError, match="rewards are of 2 metrics"):
        compare([str(root)], **SETTINGS)


def test_the_command_line_shows_it(sweep, capsys):
    assert cli.run(["compare", str(sweep), "pareto=params"]) == 0
    assert "loss against params" in capsys.readouterr().out
    assert cli.run(["compare", str(sweep), "pareto=params", "published=all"]) == 2


def test_the_hypervolume_is_the_share_of_the_box_that_the_front_dominates():
    pytest.importorskip("moocore")
    made = [Point("a", 1.0, 2.0, {}), Point("b", math.e, 1.0, {}), Point("c", math.e**2, 0.0, {})]
    assert hypervolume(made, front(made)) == pytest.approx(0.25)  # b alone: half of the width, half of the height
    assert hypervolume(made[:1], made[:1]) is None


def test_without_its_library_there_is_no_hypervolume(monkeypatch, sweep):
    monkeypatch.setitem(sys.modules, "moocore", None)
    assert "hypervolume" not in compare([str(sweep)], **SETTINGS)
