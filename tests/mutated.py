"""Command lines that someone got wrong: seeded changes of good ones."""

from __future__ import annotations

import random

GOOD = [
    ["search", "+experiment=darts_digits", "+debug=smoke", "seed=1", "estimator.batch_size=8"],
    ["search", "-m", "+experiment=random_search_digits", "+debug=smoke", "seed=0,1", "label=x"],
    [
        "search",
        "space=darts",
        "strategy=darts",
        "dataset=digits",
        "budget.epochs=1",
        "threads=1",
        "estimator.optimizer.lr=0.1",
    ],
    [
        "search",
        "space=toy",
        "strategy=random_search",
        "estimator=toy",
        "dataset=none",
        "reward=score",
        "budget.trials=3",
    ],
    ["retrain", "from=DARTS_V2", "space=darts", "dataset=digits", "trainer.epochs=1", "space.final={channels: 2}"],
    ["inspect", "space=darts", "from=DARTS_V2", "dataset=cifar10", "form=search", "format=json"],
    ["select", "RUN", "RUN", "+debug=smoke", "seed=2"],
    ["correlate", "RUN", "n=5", "against=from_scratch", "against.epochs=1"],
    ["retrain", "from=RUN", "trainer.lr=0.1", "seed=3", "resume=auto"],
    ["compare", "RUN", "format=csv", "published=none"],
    ["compare", "RUN", "pareto=params", "format=json"],
    ["ls", "strategy"],
    ["ls", "runs", "outputs"],
]
VALUES = [
    "",
    "null",
    "-1",
    "0",
    "1e400",
    "nan",
    "true",
    "[]",
    "{}",
    "[1,",
    "{a: 1}",
    "'",
    "ö#",
    "a,b",
    "a b",
    "${seed}",
]
VALUES += [
    "${oc.env:HOME}",
    "${nothing}",
    "???",
    "choice(1,2)",
    "range(3)",
    "glob(*)",
    "_target_",
    "../..",
    "9" * 30,
    "x" * 500,
]
LETTERS = "aZ0 =,.:+~@-_/\\'\"[]{}()$#&;<>!?*%ö\t"
OWN = ("run_dir", "paths", "out", "plot")  # may name any place, so their values are left alone


def mutated(seed: int, run: str) -> list[str]:
    """Return a good command line with one to three faults."""
    draw = random.Random(seed)
    words = [word.replace("RUN", run) for word in draw.choice(GOOD)]
    for _ in range(draw.randint(1, 3)):
        words = draw.choice(FAULTS)(words, draw)
    return words


def _drop(words: list[str], draw: random.Random) -> list[str]:
    place = draw.randrange(len(words))
    return words[:place] + words[place + 1 :]


def _double(words: list[str], draw: random.Random) -> list[str]:
    return [*words, draw.choice(words)]


def _shuffle(words: list[str], draw: random.Random) -> list[str]:
    return words[:1] + draw.sample(words[1:], len(words) - 1)


def _value(words: list[str], draw: random.Random) -> list[str]:
    return _changed(words, draw, lambda word: f"{word.partition('=')[0]}={draw.choice(VALUES)}")


def _letters(words: list[str], draw: random.Random) -> list[str]:
    def change(word: str) -> str:
        place = draw.randrange(len(word) + 1)
        return word[:place] + draw.choice(LETTERS) + word[place + draw.randint(0, 1) :]

    return _changed(words, draw, change)


def _name(words: list[str], draw: random.Random) -> list[str]:
    def change(word: str) -> str:
        name, equals, value = word.partition("=")
        return (
            draw.choice(["+", "++", "~", "x", f"{name}.", ""]) + name + draw.choice(["", ".x", "@y"]) + equals + value
        )

    return _changed(words, draw, change)


def _flag(words: list[str], draw: random.Random) -> list[str]:
    place = draw.randrange(len(words) + 1)
    flag = draw.choice(["-m", "--cfg", "--cfg=job", "--config-dir", "-x", "--", "--help", "--info", "-", "--package=a"])
    return [*words[:place], flag, *words[place:]]


def _changed(words: list[str], draw: random.Random, change) -> list[str]:
    places = [i for i, word in enumerate(words) if i and not word.lstrip("+~").startswith(OWN)]
    if not places:
        return words
    place = draw.choice(places)
    return [*words[:place], change(words[place]), *words[place + 1 :]]


FAULTS = [_drop, _double, _shuffle, _value, _value, _letters, _letters, _name, _flag]
