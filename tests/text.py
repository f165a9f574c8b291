"""A small text in the three files of the Penn Treebank, in which words predict the next one."""

import random
from pathlib import Path

WORDS = 30  # of the vocabulary, less the end of a sentence
LINES = {"train": 300, "valid": 300, "test": 60}


def lines(part, words=WORDS):
    """Return sentences of 3 to 9 words, a pure function of the part; a word is mostly followed by the next one."""
    source = random.Random(part)
    sentences = [[f"w{i % words:02}" for i in range(words)]] if part == "train" else []
    for _ in range(LINES[part]):
        word, sentence = source.randrange(words), []
        for _ in range(source.randint(3, 9)):
            sentence.append(f"w{word:02}")
            word = (word + 1) % words if source.random() < 0.8 else source.randrange(words)
        sentences.append(sentence)
    return [" ".join(sentence) for sentence in sentences]


def write_ptb(root, naming="ptb.{}.txt", folder="ptb"):
    """Write the three files below ``root``, blank at both ends of a line as the published ones are."""
    (Path(root) / folder).mkdir(parents=True, exist_ok=True)
    for part in LINES:
        text = "".join(f" {line} \n" for line in lines(part))
        (Path(root) / folder / naming.format(part)).write_text(text)
