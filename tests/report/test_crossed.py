"""Architecture or recipe: shares of the sum of squares on designs whose answer is known."""

import random
import statistics

import pytest

from nasctl.report import crossed
from nasctl.report.comparison import gather
from nasctl.report.crossed import SOURCES, shares
from nasctl.report.document import document
from tests.report.fabricate import genotype, retrain

NAMES, RECIPES, SEEDS = ("DARTS_V1", "DARTS_V2", "NASNet"), ("plain", "cutout"), (0, 1)


def design(root, error, left_out=()):
    for i, name in enumerate(NAMES):
        for j, recipe in enumerate(RECIPES):
            for seed in SEEDS:
                if (name, recipe) not in left_out:
                    retrain(
                        root, source=genotype(name), seed=seed, error=error(i, j, seed), recipe=recipe,
                        overrides=(f"trainer.cutout={j}", "trainer.epochs=3"), search_seed=None,
                    )  # fmt: skip
    return gather([str(root)], "none").crossed


def effects(a, r, both, seed):
    """Return an error whose parts are orthogonal, of the given sizes; each adds its square to the mean one."""
    return lambda i, j, s: (
        20 + a * (i - 1) * 1.5**0.5 + r * (2 * j - 1) + both * (i - 1) * (2 * j - 1) * 1.5**0.5 + seed * (2 * s - 1)
    )


@pytest.mark.parametrize("sizes", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (4, 3, 2, 1)])
def test_each_source_gets_its_own_squares(sizes):
    error = effects(*sizes)
    found = shares([[[error(i, j, s) for s in SEEDS] for j in range(2)] for i in range(3)])
    total = sum(size**2 for size in sizes)
    assert found == pytest.approx([size**2 / total for size in sizes], abs=1e-12)


def test_redrawn_errors_vary_as_those_they_come_from():
    cell, draw = [10.0, 13.0, 19.0], random.Random(0)
    variances = [statistics.variance(crossed._redrawn(cell, draw)) for _ in range(20_000)]
    assert statistics.fmean(variances) == pytest.approx(statistics.variance(cell), rel=0.03)


def test_equal_errors_have_no_shares():
    assert shares([[[5.0, 5.0]] * 2] * 2) == [0, 0, 0, 0]


def test_a_design_is_found_among_runs_and_shown(tmp_path):
    found = design(tmp_path, effects(4, 3, 0, 1))
    assert found.architectures == list(NAMES)
    assert found.recipes == ["classifier, cutout=0", "classifier, cutout=1"]
    assert [share.source for share in found.shares] == list(SOURCES)
    for share, value in zip(found.shares, (16 / 26, 9 / 26, 0, 1 / 26), strict=True):
        assert share.value == pytest.approx(value) and share.low - 1e-9 <= share.value <= share.high + 1e-9
    grids = [grid for grid in document(gather([str(tmp_path)], "none")) if grid.title.startswith("Architecture or")]
    assert grids[0].rows[0][0] == "DARTS_V1" and "(n=2)" in grids[0].rows[0][1]
    assert grids[1].rows[0][:1] == ("architecture",) and grids[1].rows[0][1].startswith("61.5 [")


def test_an_architecture_that_a_recipe_did_not_train_is_named(tmp_path):
    found = design(tmp_path, effects(4, 3, 0, 1), left_out={("NASNet", "cutout")})
    assert found.architectures == ["DARTS_V1", "DARTS_V2"] and found.left_out == ["NASNet"]


def test_one_recipe_or_one_seed_is_no_design(tmp_path):
    for seed in SEEDS:
        retrain(tmp_path, source=genotype("DARTS_V1"), seed=seed)
        retrain(tmp_path, source=genotype("DARTS_V2"), seed=seed)
    assert gather([str(tmp_path)], "none").crossed is None


def test_the_interval_is_wider_where_seeds_differ_more(tmp_path):
    widths = [
        max(share.high - share.low for share in design(tmp_path / str(seed), effects(4, 3, 0, seed)).shares)
        for seed in (0.1, 3)
    ]
    assert widths[0] < widths[1]


def test_runs_of_another_space_and_of_text_are_no_part_of_the_design(tmp_path):
    for seed in SEEDS:
        retrain(tmp_path, source=genotype("ResNet20"), seed=seed, recipe="other", choices={"space": "resnet"})
        retrain(tmp_path, source=genotype("LSTM"), seed=seed, recipe="text", error=None, choices={"space": "lstm"})
    assert design(tmp_path, effects(4, 3, 0, 1)).architectures == list(NAMES)
