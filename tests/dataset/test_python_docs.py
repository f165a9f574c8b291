"""Python's own help as a text: embedded, split by topics."""

import hashlib
import json
import sys
from collections import Counter

import pytest

from nasctl.dataset import python_docs
from nasctl.errors import RequestError


@pytest.fixture(scope="module")
def topics():
    return python_docs.topics()


TEXT = {f"topic{i}": f"The word. A word\nof topic{i}\n\n  And its end" for i in range(20)}


@pytest.fixture
def small(dataset, monkeypatch):
    """Return a function from changes to the data set of twenty short topics."""
    monkeypatch.setattr(python_docs, "topics", lambda: TEXT)
    return lambda **changes: dataset("python_docs", **{"min_count": 2, "bptt": 5, **changes})


def words_of(data, part):
    return [data.corpus.words[i] for i in data.corpus.parts[part]]


def test_a_paragraph_is_a_sentence_of_words_and_marks_in_lower_case(small):
    first = words_of(small(), "train")[:15]
    assert first[:6] == ["the", "word", ".", "a", "word", "of"]
    assert first[6:12] == ["<unk>", "<eos>", "and", "its", "end", "<eos>"]


def test_rare_words_of_the_training_topics_are_read_as_unknown(small):
    rare = {word for word in small(min_count=1).corpus.words if word.startswith("topic")}
    assert len(rare) == 16 and not rare & set(small().corpus.words)
    assert small().fingerprint()["val_unknown_words"] == "2 of 24"


def test_whole_topics_are_drawn_once_for_all_seeds(small):
    def drawn(**changes):
        return small(min_count=1, **changes).draw({name: [text.split()] for name, text in TEXT.items()})

    parts = drawn()
    assert {part: len(names) for part, names in parts.items()} == {"train": 16, "val": 2, "test": 2}
    assert sorted(name for names in parts.values() for name in names) == sorted(TEXT)
    assert drawn(seed=5) == parts != drawn(split_seed=1)
    assert len(drawn(val_portion=0.5)["val"]) == 10


def test_the_standard_library_gives_a_text_to_learn_from(dataset, topics):
    data = dataset("python_docs")
    sizes = {part: len(ids) for part, ids in data.corpus.parts.items()}
    total = sum(sizes.values())
    assert sizes["train"] > 50_000 and 0.08 < sizes["val"] / total < 0.25 and 0.08 < sizes["test"] / total < 0.25
    assert data.task.num_outputs == len(set(data.corpus.words)) > 1000
    counts = Counter(words_of(data, "train"))
    assert counts["<unk>"] / sizes["train"] < 0.1 and min(counts[word] for word in data.corpus.words) >= 1
    digest = hashlib.sha256(json.dumps(dict(topics), sort_keys=True).encode()).hexdigest()
    assert data.fingerprint()["data"] == digest


def test_every_part_trains_in_columns(dataset):
    data = dataset("python_docs")
    for split in (data.train(), data.val(), data.full(), data.test()):
        x, y = split.batch(10, 0, 0)
        assert y.shape == (x.numel(),)


def test_portions_that_leave_nothing_are_refused(small):
    with pytest.raises(RequestError, match=r"val_portion \(0\.5\) and test_portion \(0\.5\) leave nothing to train on"):
        small(val_portion=0.5, test_portion=0.5)


def test_a_python_without_its_topics_is_refused(dataset, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(RequestError, match=r"dataset=python_docs: this Python comes without pydoc_data.topics"):
        dataset("python_docs").train()
