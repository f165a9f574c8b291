"""Recurrent cells of highway nodes against published counts and a plainly written reference."""

import json
import math
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks.plain_rnn import batch_norm, chosen_step, relaxed_step
from nasctl.core import Candidate, Task
from nasctl.errors import RequestError, RunError
from nasctl.genotype_source import PUBLISHED, find
from nasctl.layers.language import kept
from nasctl.space.rnn_darts.mixture import mixed, mixture
from tests.space.equal import relaxed_rows
from tests.space.text import COLUMNS, TEXT, UNITS, passage, plain_of, small, state, tokens

PTB, WIKITEXT2 = Task("language", (35,), 10_000), Task("language", (35,), 33_278)
NAMES = sorted(path.stem for path in (PUBLISHED / "rnn_darts").glob("*.json"))
DARTS_V1 = {
    "recurrent": [[n, s] for n, s in zip("rrtrrirr", [0, 1, 2, 3, 4, 1, 5, 1], strict=True)],
    "concat": list(range(1, 9)),
}
DARTS_V1["recurrent"] = [
    [{"r": "relu", "t": "tanh", "i": "identity"}[n], source] for n, source in DARTS_V1["recurrent"]
]


def params(network):
    return sum(p.numel() for p in network.parameters())


def on_meta(build):
    with torch.device("meta"):
        return build()


@pytest.mark.parametrize(
    ("text_space_name", "task", "name", "units", "count"),
    [
        ("rnn_darts", PTB, "DARTS_V1", {}, 22_960_000),
        ("rnn_darts", PTB, "DARTS_V2", {}, 22_960_000),
        ("rnn_darts", WIKITEXT2, "DARTS_V2", {"units": 700}, 33_127_878),
        ("rnn_darts", PTB, "ENAS", {}, 27_295_000),
        ("rnn_enas", PTB, "ENAS", {}, 27_295_000),
        ("rnn_enas_released", PTB, "ENAS_released", {}, 20_800_000),
    ],
)
def test_published_cells_have_their_published_weights(space, text_space_name, task, name, units, count):
    made = space(text_space_name, task)
    genotype = find(name, made).genotype
    assert params(on_meta(lambda: made.build(genotype, "final", **units))) == count
    if not units:
        assert made.cost(genotype, "params") == count


def test_supernets_have_the_published_weights(space):
    assert params(on_meta(space("rnn_darts", PTB).supernet)) == 4_810_000
    edges, activations = 8 * 9 // 2, 4
    assert params(on_meta(space("rnn_enas_released", PTB).supernet)) == (
        200 * 10_000 + 400 * 400 + edges * activations * 200 * 400
    )
    assert params(on_meta(space("rnn_enas", PTB).supernet)) == (
        1000 * 10_000 + 10_000 + 2000 * 2000 + 12 * 13 // 2 * 1000 * 2000
    )


def test_spaces_have_their_published_sizes(space):
    assert space("rnn_darts", PTB).size == math.factorial(8) * 4**8 == 2_642_411_520
    assert space("rnn_enas", PTB).size == math.factorial(12) * 4**12
    assert f"{space('rnn_enas', PTB).size:.2e}" == "8.04e+15"


def test_published_genotypes_are_as_published(space):
    made = space("rnn_darts", PTB)
    assert find("DARTS_V1", made).genotype == DARTS_V1
    assert (
        made.format.parse("0 2 1 1 1 1 1 3 2 0 5 2 3 0 5 1") == find("DARTS_V2", made).genotype
    )  # as enas_lm trains it
    assert made.format.parse("0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2") == find("ENAS_released", made).genotype
    enas = find("ENAS", made).genotype
    assert enas["concat"] == [2, 5, 6, 9, 10, 11] and len(enas["recurrent"]) == 11
    assert made.format.features(enas) == {"identities": 0, "depth": 6}


@pytest.mark.parametrize("name", NAMES)
def test_published_genotypes_are_read_from_text_too(space, name, tmp_path):
    made = space("rnn_darts", PTB)
    genotype = find(name, made).genotype
    Path(tmp_path, "cell.txt").write_text(made.format.notation(genotype))
    assert find(str(tmp_path / "cell.txt"), made).genotype == genotype
    assert json.loads((PUBLISHED / "rnn_darts" / f"{name}.json").read_text())["source"]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_published_cell_equals_the_plain_one(space, name, norm):
    made = small(space, "rnn_darts", form={"norm": norm})
    genotype = find(name, made).genotype
    network = made.build(genotype, "search").double().eval()
    step = partial(chosen_step, **genotype, norm=batch_norm if norm else None)
    before = state(network)
    ours, plain = network(tokens(), before).logits, plain_of(network)(tokens(), before[0], step)
    torch.testing.assert_close(ours, plain, rtol=1e-8, atol=1e-10)


def test_inner_dropouts_hold_for_all_time_steps_and_every_product(space):
    made = small(space, "rnn_darts", dropouts={"cell_input": 0.5, "state": 0.3})
    genotype = find("DARTS_V2", made).genotype
    network = made.build(genotype, "final").double().train()
    plain, before = plain_of(network), state(network)
    torch.manual_seed(5)
    ours = network(tokens(), before).logits
    torch.manual_seed(5)
    mask_x, mask_h = kept(torch.empty(COLUMNS, UNITS).double(), 0.5), kept(torch.empty(COLUMNS, UNITS).double(), 0.3)
    theirs = plain(tokens(), before[0], partial(chosen_step, **genotype, mask_x=mask_x, mask_h=mask_h))
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)
    assert mask_x.count_nonzero() < mask_x.numel() and mask_h.count_nonzero() < mask_h.numel()


def relaxed_pair(space, **changes):
    """Return our mixture's logits and the plain one's, with the leaves of each: rows, then weights in our order."""
    made = small(space, "rnn_darts", nodes=3, **changes)
    torch.manual_seed(0)
    supernet = made.supernet().double()
    plain, rows, before = plain_of(supernet), relaxed_rows(made, 1), state(supernet)
    read = passage(supernet)
    ours = supernet(read, Candidate((), rows))
    theirs = plain(read.tokens, before[0], partial(relaxed_step, rows=torch.stack(rows)))
    weights = [plain.embedding, plain.bias, plain.w0, *plain.w]
    mine = [supernet.embedding, supernet.bias, supernet.layers[0].first, *supernet.layers[0].weights]
    return (ours, [*rows, *mine]), (theirs, [*rows, *weights])


def scalar(logits):
    generator = torch.Generator().manual_seed(7)
    return (logits.log_softmax(1) * torch.randn(logits.shape, generator=generator, dtype=logits.dtype)).sum()


def test_the_mixture_and_its_gradients_equal_the_plain_ones(space):
    (ours, mine), (theirs, plain) = relaxed_pair(space)
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    pairs = zip(torch.autograd.grad(scalar(ours), mine), torch.autograd.grad(scalar(theirs), plain), strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a.reshape(b.shape), b, rtol=1e-10, atol=1e-10 * float(b.abs().max()))


def test_the_mixtures_second_derivatives_equal_the_plain_ones(space):
    found = []
    for logits, leaves in relaxed_pair(space):
        first = torch.autograd.grad(scalar(logits), leaves[6:], create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in first), leaves))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a.reshape(b.shape), b, rtol=1e-8, atol=1e-9 * float(b.abs().max()))


@pytest.mark.parametrize("names", [["tanh", "relu", "sigmoid", "identity"], ["sigmoid"], ["relu", "tanh"]])
def test_the_gradients_written_by_hand_are_those_of_the_formula(names):
    generator = torch.Generator().manual_seed(0)

    def leaf(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)

    inputs = [leaf(4, 2, 3, 1, 5), leaf(4, 5), leaf(3, len(names))]
    grad = torch.randn(4, 3, 5, generator=generator, dtype=torch.float64)
    ours, plain = mixed(*inputs, names), mixture(*inputs, names)
    assert torch.equal(ours, plain)
    for a, b in zip(torch.autograd.grad(ours, inputs, grad), torch.autograd.grad(plain, inputs, grad), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert torch.autograd.gradcheck(lambda *leaves: mixed(*leaves, names), inputs)


@pytest.mark.slow  # compiles a step
def test_a_compiled_step_of_a_cell_equals_the_plain_one(space):
    made = small(space, "rnn_darts")
    network = made.build(find("DARTS_V2", made).genotype, "final").double()

    def gradients():
        return torch.autograd.grad(scalar(network(tokens(), state(network)).logits), list(network.parameters()))

    expected = gradients()
    network.compile_step("trainer.compile")
    for a, b in zip(gradients(), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    compiled = network.layers[0].compiled
    assert compiled.call is not compiled.function  # it did compile


@pytest.mark.slow  # compiles a step
def test_a_compiled_step_of_a_mixture_equals_the_plain_one(space):
    made = small(space, "rnn_darts", nodes=3)
    supernet, rows = made.supernet().double(), relaxed_rows(made, 1)
    read = passage(supernet)

    def gradients():
        return torch.autograd.grad(scalar(supernet(read, Candidate((), rows))), [*rows, *supernet.parameters()])

    expected = gradients()
    supernet.compile_step("estimator.speed.compile")
    for a, b in zip(gradients(), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    compiled = supernet.layers[0].compiled
    assert compiled.call is not compiled.function  # it did compile


def test_the_output_is_the_mean_of_all_nodes_or_of_the_loose_ends(space):
    arch = (0, 0, 0, 1, 1, 2, 1, 3)  # nodes 1 and 2 read state 0, nodes 3 and 4 read node 1
    genotypes = [small(space, "rnn_darts", outputs=outputs).genotype(arch) for outputs in ("all", "loose_ends")]
    assert [genotype["concat"] for genotype in genotypes] == [[1, 2, 3, 4], [2, 3, 4]]


def test_derivation_takes_the_strongest_activation_of_the_strongest_edge(space):
    made = small(space, "rnn_darts", nodes=2)
    rows = [
        torch.tensor([0.9, 0.01, 0.02, 0.05, 0.02]),  # 0-1: none is strongest and does not count
        torch.tensor([0.1, 0.1, 0.5, 0.2, 0.1]),  # 0-2
        torch.tensor([0.0, 0.3, 0.1, 0.0, 0.6]),  # 1-2: stronger than 0-2
    ]
    assert made.genotype(made.discretize(rows))["recurrent"] == [["sigmoid", 0], ["identity", 1]]


def test_a_norm_over_one_column_is_refused(space):
    made = small(space, "rnn_darts", form={"norm": True})
    network = made.build(find("DARTS_V1", made).genotype, "search")
    with pytest.raises(RunError) as error:
        network(tokens()[:, :1], network.init_hidden(1))
    assert str(error.value) == (
        "a norm over one column of text has no variance; raise the batch size, or set norm: false in the form"
    )


@pytest.mark.parametrize(
    ("genotype", "message"),
    [
        ({"recurrent": [["relu", 0]]}, "genotype: recurrent must list [activation, state] pairs and concat the nodes"),
        ({"recurrent": [], "concat": [1]}, "genotype: recurrent lists no node; add [activation, state] pairs"),
        ({"recurrent": [["rellu", 0]], "concat": [1]}, "genotype: node 1: unknown 'rellu'; did you mean 'relu'?"),
        (
            {"recurrent": [["relu", 0], ["tanh", 2]], "concat": [1]},
            "genotype: node 2 reads state 2, but can only read states 0 to 1; correct the input",
        ),
        ({"recurrent": [["relu", 0]], "concat": [0]}, "genotype: concat=[0] must name different nodes from 1 to 1"),
        ({"recurrent": [["relu", 0]], "concat": [1, 1]}, "genotype: concat=[1, 1] must name different nodes"),
        ({"recurrent": [["relu", 0]], "concat": []}, "genotype: concat=[] must name different nodes from 1 to 1"),
    ],
)
def test_impossible_genotypes_are_refused(space, genotype, message):
    with pytest.raises(RequestError) as error:
        space("rnn_darts", TEXT).format.check(genotype)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu 0", "genotype text: 'relu 0' in line 1 is no Python literal (invalid syntax); correct the text"),
        ("Genotype(recurrent=[('relu', 0), x], concat=[1])", "genotype text: 'x' in line 1 is no number, name in"),
        ("0 2 1", "genotype text: '0 2 1' must hold a state and an activation from 0 to 3 for each node"),
        ("0 4", "genotype text: '0 4' must hold a state and an activation from 0 to 3 for each node"),
    ],
)
def test_unreadable_texts_are_refused(space, text, message):
    with pytest.raises(RequestError) as error:
        space("rnn_darts", TEXT).format.parse(text)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("operations", [["tanh"], ["none"], ["none", "tanh", "tanh"]])
def test_operations_start_with_none(space, operations):
    with pytest.raises(RequestError, match="must be none and then one or more different activations"):
        space("rnn_darts", TEXT, operations=operations)
