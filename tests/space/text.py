"""Small recurrent spaces, passages of random tokens, and a plain cell that carries a network's weights."""

import torch

from benchmarks.plain_rnn import PlainLanguage
from nasctl.core import Task, TextSegment

WORDS, STEPS, COLUMNS, UNITS = 30, 5, 4, 6
TEXT = Task("language", (STEPS,), WORDS)
NO_DROPOUT = {"words": 0.0, "input": 0.0, "layer": 0.0, "output": 0.0}
NO_CELL_DROPOUT = NO_DROPOUT | {"cell_input": 0.0, "state": 0.0}


def small(space, name, *, dropouts=None, form=None, **changes):
    """Return a space of YAML ``name`` of few units, without dropout unless it is given, and parts of its forms."""
    of_cell = name != "rnn_nas_rl"
    off = NO_CELL_DROPOUT if of_cell else NO_DROPOUT
    form = {"units": UNITS, "init_range": 0.5, "dropouts": off | (dropouts or {}), **(form or {})}
    fewer = {"nodes": 4} if of_cell else {"base": 4}
    return space(name, TEXT, search=form, final=form, **(fewer | changes))


def tokens(seed=0, steps=STEPS):
    """Return random tokens ``(T, B)``."""
    return torch.randint(WORDS, (steps, COLUMNS), generator=torch.Generator().manual_seed(seed))


def state(network, seed=0):
    """Return a random hidden state of the form that the network starts from."""
    generator = torch.Generator().manual_seed(seed)

    def noise(like):
        if isinstance(like, tuple):
            return tuple(noise(part) for part in like)
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)

    return [noise(layer) for layer in network.init_hidden(COLUMNS)]


def passage(network, seed=0):
    """Return random tokens after a random state."""
    return TextSegment(tokens(seed), state(network, seed), seed)


def plain_of(network):
    """Return a plain language model with the weights of a network of one cell whose nodes have a matrix each."""
    own = {f"w.{i}": w for i, w in enumerate(network.layers[0].weights)}
    plain = PlainLanguage(WORDS, UNITS, len(own)).double()
    rest = {"embedding": network.embedding, "bias": network.bias, "w0": network.layers[0].first}
    plain.load_state_dict(
        {name: value.reshape(plain.get_parameter(name).shape) for name, value in (own | rest).items()}
    )
    return plain
