"""Architecture or recipe: designs found among runs, and shares of the variance whose answer is known."""

import csv
import random
from pathlib import Path

import pytest
from scipy.stats import chi2

from nasctl.report._read.record import find
from nasctl.report._statistics import components
from nasctl.report.view._comparison.comparison import compared
from nasctl.report.view._comparison.document import document
from nasctl.report.view._comparison.factorial import BLOCK, SOURCES, shares
from tests.report.fabricate import genotype, retrain

NAMES, RECIPES, SEEDS = ("DARTS_V1", "DARTS_V2", "NASNet"), ("plain", "cutout"), (0, 1)


def design(root, error, left_out=(), recipes=RECIPES, seeds=lambda i, j: SEEDS):
    """Retrain each name by each recipe with its seeds and return the design that is found."""
    for i, name in enumerate(NAMES):
        for j, recipe in enumerate(recipes):
            for seed in seeds(i, j):
                if (name, recipe) not in left_out:
                    trained(root, name, recipe, seed, error(i, j, seed), j)
    return found(root)


def trained(root, name, recipe, seed, error, cutout=0):
    retrain(
        root, source=genotype(name), seed=seed, error=error, recipe=recipe,
        overrides=(f"trainer.cutout={cutout}", "trainer.epochs=3"), search_seed=None,
    )  # fmt: skip


def found(root):
    return compared(find([root]), "none").factorial


def effects(a, r, both, seed):
    """Return an error whose parts are orthogonal, of the given sizes; each adds its square to the mean one."""
    return lambda i, j, s: (
        20 + a * (i - 1) * 1.5**0.5 + r * (2 * j - 1) + both * (i - 1) * (2 * j - 1) * 1.5**0.5 + seed * (2 * s - 1)
    )


@pytest.mark.parametrize("sizes", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (4, 3, 2, 1)])
@pytest.mark.parametrize("blocked", [False, True])
def test_each_source_gets_its_own_squares(sizes, blocked):
    error = effects(*sizes)
    known = components.squares([[[error(i, j, s) for s in SEEDS] for j in range(2)] for i in range(3)], blocked)
    sums = [mean * free / 12 for mean, free in zip(known.means, known.freedom, strict=True)]
    squared = [size**2 for size in sizes]
    assert sums == pytest.approx([*squared[:3], 0, squared[3]] if blocked else squared, abs=1e-12)
    assert sum(known.freedom) == 11


def test_a_textbook_example_of_twenty_parts_and_three_operators():
    """Montgomery, Design and Analysis of Experiments, the gauge study: 10.28, 0.015, -0.14 and 0.99."""
    known = components.Squares((20, 3, 2), (62.39, 1.31, 0.71, 0.99))
    assert known.freedom == (19, 2, 38, 60)
    assert components.components(known.levels, known.means) == pytest.approx([10.28, 0.015, -0.14, 0.99], abs=5e-4)
    total = 10.28 + 0.015 + 0.99
    assert components.shares(known) == pytest.approx([10.28 / total, 0.015 / total, 0, 0.99 / total], abs=1e-4)


def test_means_and_deviations_of_cells_give_the_squares_of_their_errors():
    draw = random.Random(1)
    errors = [[[draw.gauss(i + j, 1) for _ in range(3)] for j in range(4)] for i in range(6)]
    means = [[sum(cell) / 3 for cell in row] for row in errors]
    variances = [[sum((y - sum(cell) / 3) ** 2 for y in cell) / 2 for cell in row] for row in errors]
    expected = components.squares(errors, blocked=False)
    assert components.squares_of_cells(means, variances, 3).means == pytest.approx(expected.means)


def test_equal_errors_have_no_shares():
    assert [share.value for share in shares([[[5.0, 5.0]] * 2] * 2, blocked=False)] == [0, 0, 0, 0]


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_where_the_training_seeds_are_known_the_interval_is_that_of_a_variance(share):
    """Of 40 architectures and 32,000 repetitions only the architectures' variance is uncertain: by chi-square of 39."""
    levels, rest = (40, 2, 400), 1 - share
    known = components.Squares(levels, (800 * share + rest, rest, rest, rest))
    parts = [((800 * share + rest) * 39 / chi2.ppf(q, 39) - rest) / 800 for q in (0.98, 0.02)]
    assert components.intervals(known)[0] == pytest.approx([part / (part + rest) for part in parts], abs=0.01)


def test_a_design_is_found_among_runs_and_shown(tmp_path):
    known = design(tmp_path, effects(4, 3, 0, 1))
    assert known.architectures == list(NAMES) and known.left_out == []
    assert known.recipes == ["classifier, cutout=0", "classifier, cutout=1"]
    assert [share.source for share in known.shares] == [*SOURCES, BLOCK] and known.seeds == SEEDS
    # mean squares 96, 108, 0, 0 and 12 of the levels 3, 2 and 2
    parts = [96 / 4, 108 / 6, 0, 12 / 6, 12 / 6]
    assert [share.value for share in known.shares] == pytest.approx([part / 44 for part in parts])
    grids = [grid for grid in document(compared(find([tmp_path]), "none")) if grid.title.startswith("Architecture or")]
    assert grids[0].rows[0][0] == "DARTS_V1" and "(n=2)" in grids[0].rows[0][1]
    told = dict(grids[1].rows)
    assert told["architecture"].startswith("54.5 [") and told["recipe"] == "40.9 (too few recipes (2) for an interval)"
    assert told[BLOCK] == "4.5 (too few seeds (2) for an interval)"
    assert "3 architectures (DARTS_V1; DARTS_V2; NASNet); 2 recipes (classifier, cutout=0;" in grids[1].remarks[0]
    assert "Seeds 0, 1 are in every cell and are blocks" in grids[1].remarks[1]


def test_an_architecture_that_a_recipe_did_not_train_is_named(tmp_path):
    known = design(tmp_path, effects(4, 3, 0, 1), left_out={("NASNet", "cutout")})
    assert known.architectures == ["DARTS_V1", "DARTS_V2"] and known.left_out == ["NASNet"]


def test_a_stray_recipe_is_left_out_and_named(tmp_path):
    trained(tmp_path, "DARTS_V1", "stray", 0, 9.0, cutout=7)
    trained(tmp_path, "DARTS_V1", "stray", 1, 9.0, cutout=7)
    known = design(tmp_path, effects(4, 3, 0, 1))
    assert known.architectures == list(NAMES) and len(known.recipes) == 2
    assert known.left_out == ["recipe classifier, cutout=7"]
    [remark] = next(grid.remarks for grid in document(compared(find([tmp_path]), "none")) if "by both" in grid.title)
    assert remark.startswith("Left out: recipe classifier, cutout=7. The design is the sub-design of most trainings")


def test_a_single_seed_does_not_empty_a_cell_of_many(tmp_path):
    known = design(tmp_path, effects(4, 3, 0, 1), seeds=lambda i, j: (0,) if (i, j) == (2, 1) else (0, 1, 2))
    assert known.architectures == ["DARTS_V1", "DARTS_V2"] and known.seeds == (0, 1, 2)
    assert known.left_out == ["NASNet"]


def test_seeds_that_some_cells_lack_are_left_out_and_named(tmp_path):
    known = design(tmp_path, effects(4, 3, 0, 1), seeds=lambda i, j: (0, 1, 5) if i == j == 0 else (0, 1))
    assert known.seeds == (0, 1) and known.left_out == ["seed 5, which some cells lack"]


def test_other_seeds_in_each_cell_are_repetitions(tmp_path):
    known = design(tmp_path, effects(4, 3, 0, 1), seeds=lambda i, j: (10 * i + 2 * j, 10 * i + 2 * j + 1))
    assert not known.blocked and known.seeds == () and [share.source for share in known.shares] == list(SOURCES)
    remarks = next(g for g in document(compared(find([tmp_path]), "none")) if "what explains" in g.title).remarks
    assert "Seeds are not the same in every cell: 2 of each cell are its repetitions." in remarks


def test_the_larger_of_two_complete_designs_is_taken(tmp_path):
    """Two architectures met four recipes, all three met two: 2 x 4 x 2 trainings are more than 3 x 2 x 2."""
    recipes = ("plain", "cutout", "third", "fourth")
    known = design(tmp_path, effects(4, 3, 0, 1), recipes=recipes, left_out={("NASNet", "third"), ("NASNet", "fourth")})
    assert known.architectures == ["DARTS_V1", "DARTS_V2"] and len(known.recipes) == 4


def test_of_equally_large_designs_the_one_of_more_architectures_is_taken(tmp_path):
    """2 x 3 x 2 trainings are as many as 3 x 2 x 2."""
    known = design(tmp_path, effects(4, 3, 0, 1), recipes=("plain", "cutout", "third"), left_out={("NASNet", "third")})
    assert known.architectures == list(NAMES) and len(known.recipes) == 2


def test_two_unlike_results_of_one_seed_are_no_part_of_the_design(tmp_path):
    trained(tmp_path / "again", "DARTS_V1", "plain", 2, 50.0)
    known = design(tmp_path, effects(4, 3, 0, 1), seeds=lambda i, j: (0, 1, 2))
    assert known.seeds == (0, 1)
    assert "DARTS_V1 under classifier, cutout=0, seed 2: two runs with unlike errors" in known.left_out


def test_one_recipe_or_one_seed_is_no_design(tmp_path):
    for seed in SEEDS:
        retrain(tmp_path, source=genotype("DARTS_V1"), seed=seed)
        retrain(tmp_path, source=genotype("DARTS_V2"), seed=seed)
    assert found(tmp_path) is None


def test_runs_of_another_space_and_of_text_are_no_part_of_the_design(tmp_path):
    for seed in SEEDS:
        retrain(tmp_path, source=genotype("ResNet20"), seed=seed, recipe="other", choices={"space": "resnet"})
        retrain(tmp_path, source=genotype("LSTM"), seed=seed, recipe="text", error=None, choices={"space": "lstm"})
    assert design(tmp_path, effects(4, 3, 0, 1)).architectures == list(NAMES)


def test_pure_noise_is_the_seeds_and_nothing_of_both_together():
    """Shares of the sum of squares gave 52.7 % of such noise to architecture and recipe together."""
    draw, values = random.Random(0), []
    for _ in range(100):
        errors = [[[draw.gauss(20, 1) for _ in range(2)] for _ in range(8)] for _ in range(10)]
        values.append([share.value for share in shares(errors, blocked=False)])
    both, seeds = (sum(value[k] for value in values) / 100 for k in (2, 3))
    assert both < 0.08 and seeds > 0.9


# Levels, then the standard deviations of architecture, recipe, both together, seed (a block) and training
DESIGNS = {
    "cells of DARTS under four recipes, seeds of their own": ((6, 4, 3), (1.24, 3.15, 0.0, 0.0, 1.45)),
    "many architectures under few recipes, seeds shared": ((12, 3, 4), (1.0, 1.0, 0.5, 0.7, 1.0)),
    "nothing but noise, seeds of their own": ((6, 4, 2), (0.0, 0.0, 0.0, 0.0, 1.0)),
}


def simulated(levels, deviations, draw):
    a, b, n = levels
    of_a, of_b, of_both, of_seed, rest = deviations
    rows, columns, blocks = ([draw.gauss(0, s) for _ in range(k)] for s, k in ((of_a, a), (of_b, b), (of_seed, n)))
    return [
        [
            [20 + row + column + both + block + draw.gauss(0, rest) for block in blocks]
            for column, both in ((column, draw.gauss(0, of_both)) for column in columns)
        ]
        for row in rows
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_intervals_of_shares_hold_the_truth(name):
    levels, deviations = DESIGNS[name]
    blocked = deviations[3] > 0
    squared = [deviation**2 for deviation in deviations]
    parts = [*squared[:3], squared[3] + squared[4], *([squared[3]] if blocked else [])]
    truth, draw, held = [part / sum(squared) for part in parts], random.Random(7), [0] * len(parts)
    for _ in range(2000):
        for k, share in enumerate(shares(simulated(levels, deviations, draw), blocked)):
            held[k] += share.low <= truth[k] + 1e-12 and truth[k] <= share.high + 1e-12
    print(name, [f"{100 * value:.1f} %" for value in truth], held)
    assert min(held) >= 1880, held


DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("recipes", "column", "sums"),
    [(4, 1, [12.9, 71.8, 1.8, 13.5]), (2, 2, [33.9, 20.8, 3.0, 42.3])],
    ids=["all four recipes", "plain and cutout alone"],
)
def test_e1_is_as_the_docs_state_it(recipes, column, sums):
    with (DOCS / "data" / "e1_cells.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["architecture"].startswith("ResNet")]
    names, known = (list(dict.fromkeys(row[key] for row in rows)) for key in ("architecture", "recipe"))
    cells = {(row["architecture"], row["recipe"]): row for row in rows}
    means, stds = (
        [[float(cells[name, recipe][key]) for recipe in known[:recipes]] for name in names]
        for key in ("error_mean", "error_std")
    )
    found = components.squares_of_cells(means, [[std**2 for std in row] for row in stds], 3)
    total = [mean * free for mean, free in zip(found.means, found.freedom, strict=True)]
    assert [100 * part / sum(total) for part in total] == pytest.approx(sums, abs=0.06)
    page = (DOCS / "results.md").read_text()
    for source, value, (low, high) in zip(SOURCES, components.shares(found), components.intervals(found), strict=True):
        line = next(line for line in page.splitlines() if line.startswith(f"| {source} |") and "[" in line)
        cell = line.strip("| ").split(" | ")[column]
        few = source == "recipe" and recipes == 2
        bounds = ", too few recipes (2) for an interval" if few else f" [{100 * low:.1f}, {100 * high:.1f}]"
        assert cell == f"{100 * value:.1f}{bounds}"
