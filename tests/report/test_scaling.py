"""Error against size: what makes a series, the grid, and the plot."""

import json
import sys

import pytest
from fabricate import genotype, retrain

from nasctl.errors import RequestError
from nasctl.report._read.record import find
from nasctl.report.command import compare
from nasctl.report.view._comparison.comparison import compared
from nasctl.report.view._comparison.scaling import points, series


def network(root, name, params, error, *, recipe, **changes):
    retrain(root, source=genotype(name), params=params, macs=10 * params, error=error, recipe=recipe, **changes)


@pytest.fixture
def sweep(root):
    """Return a folder with DARTS_V2 in three widths, a ResNet in two, and a search nobody retrained."""
    for i, (params, error) in enumerate(((4000, 3.0), (1000, 5.0), (2000, 4.0))):
        network(root, "DARTS_V2", params, error, recipe=f"r{i}", overrides=(f"space.final.channels={i}",))
    for i, (params, error) in enumerate(((3000, 6.0), (1500, 7.0))):
        network(root, "ResNet20", params, error, recipe=f"s{i}")
    return root


def found(root, axis):
    lines = series(points(compared(find([root]), "none").methods, axis))
    return {name: [(point.x, point.error.mean) for point in line] for name, line in lines.items()}


@pytest.mark.parametrize("axis, factor", [("params", 1), ("macs", 10)])
def test_sizes_of_one_origin_make_a_series_in_order(sweep, axis, factor):
    assert found(sweep, axis) == {
        "DARTS_V2": [(1000 * factor, 5.0), (2000 * factor, 4.0), (4000 * factor, 3.0)],
        "ResNet20": [(1500 * factor, 7.0), (3000 * factor, 6.0)],
    }


def test_another_recipe_is_another_series(root):
    import yaml

    for epochs in (100, 600):
        network(root, "NASNet", 1000, 3.0, recipe=f"t{epochs}", overrides=(f"trainer.epochs={epochs}",))
    for path in (root / "retrain" / "x").iterdir():
        config = yaml.safe_load((path / "config.yaml").read_text())
        given = yaml.safe_load((path / "overrides.yaml").read_text())
        config["trainer"] = {"epochs": int(given[0].split("=")[1])}
        (path / "config.yaml").write_text(yaml.safe_dump(config))
    assert sorted(found(root, "params")) == ["NASNet, trainer.epochs=100", "NASNet, trainer.epochs=600"]


def test_the_grid_lists_the_series(sweep):
    text = compare([str(sweep)], format="markdown", published="none", x="params")
    table = text[text.index("**Error against params**") :].splitlines()[2:]
    assert [[cell.strip() for cell in line.strip("| ").split("|")] for line in table if line.startswith("|")] == [
        ["series", "params", "test error (%)"],
        ["---"] * 3,
        ["DARTS_V2", "1.0 k", "5.00 (n=1)"],
        ["DARTS_V2", "2.0 k", "4.00 (n=1)"],
        ["DARTS_V2", "4.0 k", "3.00 (n=1)"],
        ["ResNet20", "1.5 k", "7.00 (n=1)"],
        ["ResNet20", "3.0 k", "6.00 (n=1)"],
    ]
    assert "Error against" not in compare([str(sweep)])


def test_a_resource_of_the_users_own_is_a_column_and_an_axis(root):
    for seed, energy in enumerate((2.0, 3.0)):
        network(root, "NASNet", 1000, 3.0, recipe="r", seed=seed, costs={"params": 1000, "energy_mj": energy})
    text = compare([str(root)], format="markdown", published="none", x="energy_mj")
    assert "| energy_mj |" in text and "| 2.5 ± 0.7071 |" in text and "| NASNet | 2.5 | 3.00 ± 0.00 (n=2) |" in text
    [row] = json.loads(compare([str(root)], format="json"))["methods"]
    assert (row["cost_energy_mj"], row["cost_energy_mj_std"]) == (2.5, pytest.approx(0.5**0.5))
    assert "cost_energy_mj" in compare([str(root)], format="runs_csv").splitlines()[0]


def test_an_unknown_axis_is_refused(sweep):
    with pytest.raises(RequestError, match=r"x: unknown 'parms'; did you mean 'params'"):
        compare([str(sweep)], x="parms")


@pytest.mark.parametrize("suffix, start", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_plot_is_a_file_of_its_kind(sweep, tmp_path, suffix, start):
    pytest.importorskip("matplotlib")
    file = tmp_path / f"plot.{suffix}"
    compare([str(sweep)], x="macs", plot=str(file))
    assert file.read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir() if path != sweep] == [file.name]


def test_the_plot_names_its_series_and_its_axes(sweep, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    compare([str(sweep)], x="macs", plot=str(tmp_path / "plot.svg"))
    text = (tmp_path / "plot.svg").read_text()
    for word in ("DARTS_V2", "ResNet20", "multiply-accumulates of one example", "test error (%)"):
        assert word in text


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"plot": "plot.png"}, r"plot=plot\.png: against what\? add x=params, x=macs or another"),
        ({"plot": "plot.jpeg", "x": "macs"}, r"a file ending in \.jpeg cannot be drawn; use pdf, png, svg"),
        ({"plot": "missing/plot.png", "x": "macs"}, "there is no folder missing"),
    ],
)
def test_a_plot_that_cannot_be_is_refused(sweep, tmp_path, monkeypatch, settings, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match=said):
        compare([str(sweep)], **settings)


def test_an_existing_plot_is_left_alone(sweep, tmp_path):
    (tmp_path / "plot.png").write_text("precious")
    with pytest.raises(RequestError, match="exists already"):
        compare([str(sweep)], x="macs", plot=str(tmp_path / "plot.png"))
    assert (tmp_path / "plot.png").read_text() == "precious"


def test_without_matplotlib_a_sentence_says_what_to_install(sweep, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RequestError, match=r"needs matplotlib, which is not installed; pip install 'nasctl\[plots\]'"):
        compare([str(sweep)], x="macs", plot=str(tmp_path / "plot.png"))
