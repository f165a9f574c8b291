"""Tree-shaped recurrent cells: the paper's worked example, the cell it found, and its counts."""

from pathlib import Path

import pytest
import torch

from benchmarks.plain_rnn import nas_cell_step
from nasctl.core import Candidate, Relaxation, Task
from nasctl.errors import RequestError
from nasctl.genotype_source import find
from nasctl.space.rnn_nas_rl.network import Layer, Tree
from tests.space.text import TEXT, small, state, tokens

PTB = Task("language", (35,), 10_000)
EXAMPLE = "add:tanh elem_mult:relu elem_mult:sigmoid inject=add:relu cell=1,0"


def test_the_worked_example_of_the_paper(space):
    genotype = small(space, "rnn_nas_rl", base=2).format.parse(EXAMPLE)
    x, r = torch.randn(2, 3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    c = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    w1x, w3x, w2h, w4h = *x.chunk(2, 1), *r.chunk(2, 1)
    a0 = torch.relu(torch.tanh(w1x + w2h) + c)
    a1 = torch.relu(w3x * w4h)
    h, new = Tree(genotype)(x, r, c)
    assert torch.equal(h, torch.sigmoid(a0 * a1))
    assert torch.equal(new, w3x * w4h)


def test_the_cell_of_the_paper_equals_the_plain_one(space):
    made = small(space, "rnn_nas_rl", base=8)
    genotype = find("NASCell", made).genotype
    network = made.build(genotype, "final").double().eval()
    before, x = state(network), network.embedding[tokens()]
    raw = network(tokens(), before).raw
    for layer, (m, c) in zip(network.layers, before, strict=True):
        outputs = []
        for row in x:
            m, c = nas_cell_step(row, m, c, layer.input, layer.recurrent)
            outputs.append(m)
        x = torch.stack(outputs)
    torch.testing.assert_close(raw, x, rtol=1e-8, atol=1e-10)


def test_a_layer_has_eight_products_of_input_and_output():
    layer = Layer(8, 650, 0.05)
    assert sum(p.numel() for p in layer.parameters()) == 8 * 650 * (650 + 650) == layer.macs


def test_networks_have_the_weights_of_the_medium_lstm_and_of_the_papers_table(space):
    made = space("rnn_nas_rl", PTB)
    genotype = find("NASCell", made).genotype
    with torch.device("meta"):
        child = made.build(genotype, "search")
    assert sum(p.numel() for p in child.parameters()) == 2 * 8 * 650 * 1300 + 10_000 * 651 == 20_030_000
    assert f"{made.cost(genotype, 'params') / 1e6:.1f}" == "25.0"


def test_the_space_has_its_published_size(space):
    made = space("rnn_nas_rl", PTB)
    assert made.size == 8**16 * 15 * 14
    assert f"{made.size:.0e}" == "6e+16"
    larger = space("rnn_nas_rl", PTB, combinations=["add", "elem_mult", "max"], activations=["tanh", "sin"])
    assert larger.size == 6**16 * 15 * 14


def test_the_larger_spaces_operations_are_maximum_and_sine(space):
    made = small(space, "rnn_nas_rl", base=2)
    genotype = made.format.parse("max:sin add:identity max:identity inject=add:identity cell=2,1")
    x, r, c = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    c = c[:, :2]
    h, new = Tree(genotype)(x, r, c)
    left, right = torch.sin(torch.maximum(x[:, :2], r[:, :2])), x[:, 2:] + r[:, 2:] + c
    assert torch.equal(h, torch.maximum(left, right)) and torch.equal(new, h)


def test_genotypes_are_read_from_text(space, tmp_path):
    made = space("rnn_nas_rl", PTB)
    genotype = find("NASCell", made).genotype
    Path(tmp_path, "cell.txt").write_text(made.format.notation(genotype))
    assert find(str(tmp_path / "cell.txt"), made).genotype == genotype
    assert made.format.features(genotype) == {"products": 5, "identities": 1}


def test_the_graph_shows_tree_and_cell_state(space):
    made = space("rnn_nas_rl", PTB)
    assert made.format.edges(made.format.parse(EXAMPLE)) == {
        "cell": [
            ("x_t", "0", "add:tanh"),
            ("h_{t-1}", "0", "add:tanh"),
            ("x_t", "1", "elem_mult:relu"),
            ("h_{t-1}", "1", "elem_mult:relu"),
            ("0", "2", "elem_mult:sigmoid"),
            ("1", "2", "elem_mult:sigmoid"),
            ("c_{t-1}", "0", "inject add:relu"),
            ("1", "c_t", "before activation"),
            ("2", "h_t", "output"),
        ]
    }


def test_cells_share_all_weights(space):
    made = small(space, "rnn_nas_rl")
    supernet = made.supernet()
    assert not isinstance(made, Relaxation)
    assert supernet.subnet_state(made.genotype((0,) * len(made.decisions))).keys() == supernet.state_dict().keys()
    assert Candidate((0,)).weights is None


@pytest.mark.slow  # compiles a kernel
def test_a_compiled_step_equals_the_plain_one(space):
    made = small(space, "rnn_nas_rl", base=8)
    network = made.build(find("NASCell", made).genotype, "final").double()

    def gradients():
        loss = network(tokens(), state(network)).logits.square().sum()
        return torch.autograd.grad(loss, list(network.parameters()))

    expected = gradients()
    network.compile_step("trainer.compile")
    for a, b in zip(gradients(), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": [1]}, "genotype: nodes must list [combination, activation] pairs, inject be one, and cell be two"),
        ({"nodes": [["add", "tanh"]] * 5}, "genotype: 5 nodes are no full binary tree; list 3, 7, 15"),
        ({"nodes": [["add", "tanh"]]}, "genotype: 1 nodes are no full binary tree"),
        ({"nodes": [["ad", "tanh"]] * 3}, "genotype: node 0: unknown 'ad'; did you mean 'add'?"),
        ({"inject": ["add", "tan"]}, "genotype: inject: unknown 'tan'; did you mean 'tanh'?"),
        ({"cell": [3, 0]}, "genotype: cell=[3, 0] must be a node from 0 to 2 and one from 0 to 1"),
        ({"cell": [0, 2]}, "genotype: cell=[0, 2] must be a node from 0 to 2 and one from 0 to 1"),
    ],
)
def test_impossible_genotypes_are_refused(space, change, message):
    made = space("rnn_nas_rl", TEXT)
    with pytest.raises(RequestError) as error:
        made.format.check({**made.format.parse(EXAMPLE), **change})
    assert str(error.value).startswith(message)


def test_unreadable_texts_are_refused(space):
    with pytest.raises(RequestError, match="'add:tanh' is not of the form combination:activation"):
        space("rnn_nas_rl", TEXT).format.parse("add:tanh")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": 6}, "space.base=6 must be a power of two, the leaves of a full tree; set 2, 4 or 8"),
        ({"combinations": []}, "space.combinations=[] must be one or more different names; correct the list"),
        ({"activations": ["tan"]}, "space.activations: unknown 'tan'; did you mean 'tanh'?"),
    ],
)
def test_impossible_settings_are_refused(space, changes, message):
    with pytest.raises(RequestError) as error:
        space("rnn_nas_rl", TEXT, **changes)
    assert str(error.value).startswith(message)
