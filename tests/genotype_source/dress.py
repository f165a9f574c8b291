"""Random genotypes in random dress: the same cell as people write, print, log and comment it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from nasctl import walk
from nasctl.core import SearchSpace

Cell = dict[str, Any]

OPERATIONS = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "none")
ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")


def random_cell(draw: random.Random) -> Cell:
    """Return a genotype of DARTS with one to five nodes a cell, each of which may read a state twice."""
    found: Cell = {}
    for kind in ("normal", "reduce"):
        nodes = draw.randint(1, 5)
        picks = [[draw.choice(OPERATIONS), draw.randrange(node + 2)] for node in range(nodes) for _ in range(2)]
        some = sorted({nodes + 1, *draw.sample(range(2, nodes + 2), draw.randint(0, nodes))})
        found |= {kind: picks, f"{kind}_concat": some}
    return found


def random_recurrent(draw: random.Random) -> Cell:
    """Return a recurrent genotype of one to eight nodes."""
    nodes = draw.randint(1, 8)
    some = sorted(draw.sample(range(1, nodes + 1), draw.randint(1, nodes)))
    return {"recurrent": [[draw.choice(ACTIVATIONS), draw.randrange(i + 1)] for i in range(nodes)], "concat": some}


def call(cell: Cell, draw: random.Random) -> str:
    """Return the text of ``Genotype(...)``, in any order of fields and of what has no order."""
    parts = [(name, _field(name, content, draw)) for name, content in cell.items()]
    if draw.random() < 0.15:
        inside = [text for _, text in parts]
    else:
        draw.shuffle(parts)
        inside = [f"{name}{draw.choice(('=', ' = '))}{text}" for name, text in parts]
        inside += ["connectN=None", "connects=None"] if "normal" in cell and draw.random() < 0.2 else []
    gap = draw.choice((" ", "\n  ", "  # a comment, with (brackets] and 'quotes\n\t", "\r\n  "))
    end = draw.choice(("", ",", ",\n"))
    name = draw.choice(("Genotype", "Genotype", "genotypes.Genotype"))
    return f"{name}({f',{gap}'.join(inside)}{end})"


def _field(name: str, content: Any, draw: random.Random) -> str:
    return _concat(content, draw) if name.endswith("concat") else _picks(name, content, draw)


def _concat(nodes: list[int], draw: random.Random) -> str:
    first, last = nodes[0], nodes[-1]
    forms = [repr(nodes), repr(tuple(nodes)), repr(draw.sample(nodes, len(nodes)))]
    if nodes == list(range(first, last + 1)):
        forms += [f"range({first}, {last + 1})", f"list(range({first}, {last + 1}))", f"range({first},{last + 1},1)"]
    return draw.choice(forms)


def _picks(name: str, picks: list[list[Any]], draw: random.Random) -> str:
    quote, weighed = draw.choice("'\""), draw.random() < 0.25
    number = draw.choice((str, str, lambda state: f"np.int64({state})"))

    def pick(item: list[Any]) -> str:
        weight = f", {draw.random():.6f}" if weighed else ""
        return f"({quote}{item[0]}{quote}, {number(item[1])}{weight})"

    if name == "recurrent":
        return f"[{', '.join(map(pick, picks))}]"
    nodes = [draw.sample(picks[k : k + 2], 2) for k in range(0, len(picks), 2)]
    if draw.random() < 0.3:
        return f"[{', '.join(f'({pick(a)}, {pick(b)})' for a, b in nodes)}]"
    gap = draw.choice((" ", "\n    ", "  # node\n    "))
    flat = [pick(item) for node in nodes for item in node]
    return f"[{f',{gap}'.join(flat)}{draw.choice(('', ','))}]"


def dressed(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    """Return a file's text that holds ``cell``, and the name to choose it by, if one is needed."""
    return draw.choice(DRESSES)(cell, others, draw)


def _independent(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    name = draw.choice(("", "DARTS_V9 = ", "genotype=", "cell: object = "))
    return f"{name}{call(cell, draw)}\n", None


def _commented(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    before = "".join("# " + line + "\n" for line in call(others[0], draw).splitlines())
    return f"{before}A = {call(cell, draw)}\n# {call(others[0], random.Random(0)).splitlines()[0]}", None


def _module(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    named = [("TAKEN", cell), ("OTHER_1", others[0]), ("OTHER_2", others[1])]
    draw.shuffle(named)
    body = "\n\n".join(f"{name} = {call(one, draw)}" for name, one in named)
    return f"from collections import namedtuple\nPRIMITIVES = ['none', 'skip_connect']\nSTEPS = 4\n{body}\n", "TAKEN"


def _alias(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    return f"A = {call(others[0], draw)}\nB = {call(cell, draw)}\nBEST = B\n", "BEST"


def _log(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    lines = []
    for epoch, one in enumerate([*others, cell]):
        lines += [f"03/0{epoch + 1} 10:00:00 AM epoch {epoch} lr 2.5e-02", f"10:01:01 AM genotype = {call(one, draw)}"]
    return "\n".join([*lines, "10:02:00 valid_acc 72.0 (best)"]) + "\n", None


def _grepped(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    return "\n".join(f"genotype = {call(one, draw)}" for one in [*others, cell]), None


def _json(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    family = "darts" if "normal" in cell else "rnn_darts"
    return json.dumps(draw.choice((cell, {"family": family, "genotype": cell})), indent=draw.choice((None, 1))), None


def _dictionary(cell: Cell, others: list[Cell], draw: random.Random) -> tuple[str, str | None]:
    return draw.choice(("", "best = ")) + repr(cell), None


DRESSES: tuple[Callable[[Cell, list[Cell], random.Random], tuple[str, str | None]], ...] = (
    _independent,
    _independent,
    _commented,
    _module,
    _alias,
    _log,
    _grepped,
    _json,
    _dictionary,
)


def encoded(text: str, draw: random.Random) -> bytes:
    """Return the bytes of a file, with or without a byte order mark."""
    return draw.choice((text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")))


def mutated(text: str, draw: random.Random) -> str:
    """Return ``text`` with one to three faults: characters lost, doubled or changed, a part cut off or repeated."""
    for _ in range(draw.randint(1, 3)):
        i, j = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        fault = draw.randrange(5)
        if fault == 0:
            text = text[:i] + text[i + 1 :]
        elif fault == 1:
            text = text[:i] + draw.choice("()[],'\"=#0123 \nrx|~:{}") + text[i:]
        elif fault == 2:
            text = text[:i] + draw.choice("()[],'\"0123 \nr") + text[i + 1 :]
        elif fault == 3:
            text = text[:j]
        else:
            text = text[:i] + text[i : min(j, i + 40)] + text[i:]
        text = text or " "
    return text


def random_genotype(space: SearchSpace, draw: random.Random) -> Any:
    """Return the genotype of a random architecture."""
    arch = walk.extend(space, (), lambda prefix, options: draw.choice(list(options)), walk.to_the_end)
    return space.genotype(arch)
