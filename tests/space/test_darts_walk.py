"""A uniform walk of the DARTS space is uniform over its cells, by chi-squared tests that other walks fail."""

from collections import Counter
from itertools import combinations, product

import pytest
import torch
from scipy.stats import chisquare

from nasctl import walk


def chance_of_uniformity(walk, walks=3000):
    """Return the smallest p of chi-squared tests of input pairs, of operations, and of the two together."""
    generator = torch.Generator().manual_seed(7)
    archs = [walk(generator) for _ in range(walks)]
    operations = [k for k in range(24) if k % 3]
    tables = [
        (product(range(3), range(6), range(10)), [arch[3:12:3] for arch in archs]),  # the normal cell's pairs
        (product(range(3), range(6), range(10)), [arch[15:24:3] for arch in archs]),
        (product(range(10), range(7)), [arch[9:11] for arch in archs]),
        (product(operations, range(7)), [(k, arch[k]) for arch in archs for k in operations]),
    ]
    counts = [(grid, Counter(map(tuple, seen))) for grid, seen in tables]
    return min(chisquare([counted[cell] for cell in grid]).pvalue for grid, counted in counts)


def edge_by_edge(generator):
    """Return an architecture whose edges are taken or left one after the other, which favours early ones."""
    arch = []
    for _, node in product(range(2), range(4)):
        taken = []
        for source in range(node + 2):
            must = len(taken) + (node + 2 - source) == 2
            if len(taken) < 2 and (must or torch.rand((), generator=generator) < 0.5):
                taken.append(source)
        pair = list(combinations(range(node + 2), 2)).index(tuple(taken))
        arch += [pair, *torch.randint(7, (2,), generator=generator).tolist()]
    return tuple(arch)


def test_a_uniform_walk_is_uniform_over_cells(space):
    darts = space("darts")
    assert chance_of_uniformity(lambda generator: walk.uniform(darts, generator)) > 1e-3


def test_a_walk_edge_by_edge_would_not_be():
    assert chance_of_uniformity(edge_by_edge) < 1e-3


@pytest.mark.parametrize("bias", [(9, 0), (4, 6)])
def test_a_walk_that_favours_one_option_would_not_be(space, bias):
    darts, (position, option) = space("darts"), bias

    def biased(generator):
        arch = list(walk.uniform(darts, generator))
        if torch.rand((), generator=generator) < 0.1:
            arch[position] = option
        return tuple(arch)

    assert chance_of_uniformity(biased) < 1e-3
