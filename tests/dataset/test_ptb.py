"""The Penn Treebank's files: words, parts, steps, what is refused, and what a download brings."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
import torch

from nasctl.dataset import _download
from nasctl.dataset._download import Published
from nasctl.errors import RequestError, RunError
from tests.text import WORDS, lines, write_ptb

SMALL = {"vocabulary": WORDS + 1, "bptt": 7}


@pytest.fixture
def ptb(dataset, tmp_path):
    """Return a function from changes of the settings to the data set of small files."""
    write_ptb(tmp_path)
    return lambda **changes: dataset("ptb", **{**SMALL, **changes})


def words_of(data, part):
    return [data.corpus.words[i] for i in data.corpus.parts[part]]


def test_every_line_gives_its_words_and_an_end(ptb):
    for part, name in (("train", "train"), ("val", "valid"), ("test", "test")):
        expected = [word for line in lines(name) for word in (*line.split(), "<eos>")]
        assert words_of(ptb(), part) == expected


def test_ids_follow_the_first_occurrence_in_the_training_file(ptb):
    assert list(ptb().corpus.words) == [f"w{i:02}" for i in range(WORDS)] + ["<eos>"]


@pytest.mark.parametrize("naming", ["ptb.{}.txt", "{}.txt", "wiki.{}.tokens"])
def test_all_namings_are_read(dataset, tmp_path, naming):
    write_ptb(tmp_path, naming)
    assert dataset("ptb", **SMALL).fingerprint()["vocabulary"]


def test_wikitext2_is_read_by_the_same_reader(dataset, tmp_path):
    write_ptb(tmp_path, "wiki.{}.tokens", "wikitext-2")
    data = dataset("wikitext2", **SMALL)
    assert words_of(data, "val")[:3] == [*lines("valid")[0].split()][:3]


@pytest.mark.parametrize(("name", "words"), [("ptb", 10_000), ("wikitext2", 33_278)])
def test_a_space_learns_the_published_vocabulary_without_any_file(dataset, name, words):
    data = dataset(name)
    assert (data.task.kind, data.task.input_shape, data.task.num_outputs) == ("language", (35,), words)


def test_the_vocabulary_may_be_read_instead(ptb):
    assert ptb(vocabulary=None).task.num_outputs == WORDS + 1


def test_another_vocabulary_than_the_declared_one_is_refused(ptb):
    with pytest.raises(RequestError, match=r"dataset.vocabulary=30, but the training part has 31 words; set .*=31"):
        ptb(vocabulary=30).train()


def columns(ids, count):
    """Return the text in parallel columns ``(rows, count)``, by hand."""
    rows = len(ids) // count
    return np.stack([ids[i * rows : (i + 1) * rows] for i in range(count)], 1)


@pytest.mark.parametrize(("part", "size"), [("train", 4), ("val", 3), ("full", 4), ("test", 5)])
def test_steps_run_through_parallel_columns_and_predict_the_next_token(ptb, part, size):
    data = ptb()
    split = getattr(data, part)()
    laid_out = columns(data.corpus.parts["train" if part == "full" else part], 1 if part == "test" else size)
    batches = [split.batch(size, 2, step) for step in range(split.steps(size, 2))]
    tokens = torch.cat([x for x, _ in batches])
    targets = torch.cat([y.view_as(x) for x, y in batches])
    assert torch.equal(tokens, torch.from_numpy(laid_out[:-1]))
    assert torch.equal(targets, torch.from_numpy(laid_out[1:]))
    assert tokens.dtype == targets.dtype == torch.int64 and all(y.dim() == 1 for _, y in batches)


def test_search_takes_steps_of_equal_lengths_and_the_final_training_does_not(ptb):
    data = ptb(lengths={"final": {"std": 3.0, "half": 0.3, "shortest": 2, "longest": 12}})
    for split in (data.train(), data.val(), data.test()):
        found = {len(split.batch(2, 0, step)[0]) for step in range(split.steps(2, 0) - 1)}
        assert found == {7}
    full = data.full()
    found = [len(full.batch(2, 0, step)[0]) for step in range(full.steps(2, 0) - 1)]
    assert min(found) >= 2 and max(found) <= 12 and len(set(found)) > 6


def test_lengths_are_those_of_the_recipe(ptb):
    data = ptb(bptt=35, lengths={"final": {"half": 0.05, "std": 5.0, "shortest": 5, "longest": 55}})
    drawn = data.lengths.final.draw(35, 100_000, 3)
    assert drawn.min() >= 5 and drawn.max() <= 55
    assert drawn.mean() == pytest.approx(0.95 * 35 + 0.05 * 17.5 - 0.5, abs=0.1)  # cut to whole tokens
    assert drawn.var() == pytest.approx(5**2 + 0.95 * 0.05 * 17.5**2, rel=0.03)
    assert (drawn < 20).mean() == pytest.approx(0.05 * 0.69 + 0.95 * 0.0013, abs=0.003)
    with pytest.raises(Exception, match=r"shortest \(9\) must be at most longest \(8\)"):
        ptb(lengths={"search": {"shortest": 9, "longest": 8}})


def test_batches_are_pure_functions_of_the_position_and_lengths_differ_by_epoch_and_seed(ptb):
    def bounds(data, epoch):
        split = data.full()
        return [len(split.batch(3, epoch, step)[0]) for step in range(split.steps(3, epoch))]

    one, again = ptb().full(), ptb().full()
    again.batch(5, 3, 1)
    assert all(torch.equal(a, b) for a, b in zip(one.batch(3, 4, 2), again.batch(3, 4, 2), strict=True))
    assert bounds(ptb(), 1) == bounds(ptb(), 1) != bounds(ptb(), 2)
    assert bounds(ptb(), 1) != bounds(ptb(seed=1), 1)


def test_a_step_past_the_epoch_is_an_index_error(ptb):
    split = ptb().val()
    with pytest.raises(IndexError, match="val: step"):
        split.batch(3, 0, split.steps(3, 0))


def test_the_length_of_a_part_is_the_number_of_tokens_to_predict(ptb):
    data = ptb()
    assert len(data.train()) == len(data.corpus.parts["train"]) - 1
    assert sum(len(data.test().batch(1, 0, s)[1]) for s in range(data.test().steps(1, 0))) == len(data.test())


def test_limits_keep_the_first_tokens_and_the_whole_vocabulary(ptb):
    data = ptb(limit_train=40, limit_val=30, limit_test=20)
    for split, part, kept in ((data.train(), "train", 40), (data.val(), "val", 30), (data.test(), "test", 20)):
        assert split.tokens.tolist() == data.corpus.parts[part][:kept].tolist()
    assert len(data.corpus.words) == WORDS + 1


def test_no_part_touches_another_and_the_held_out_part_is_the_published_one(ptb):
    data = ptb()
    trained, chosen = data.held_out(0.3)
    assert torch.equal(trained.tokens, data.train().tokens) and trained.lengths == data.lengths.final
    assert torch.equal(chosen.tokens, data.val().tokens)


def test_an_empty_line_is_an_end_without_words(ptb, tmp_path):
    path = tmp_path / "ptb" / "ptb.valid.txt"
    path.write_text("\n w01 w02 \n\n\n w03 \n")
    assert words_of(ptb(), "val") == ["<eos>", "w01", "w02", "<eos>", "<eos>", "<eos>", "w03", "<eos>"]
    path.write_text("w01 w02\nw03")  # the last line may lack its break
    assert words_of(ptb(), "val") == ["w01", "w02", "<eos>", "w03", "<eos>"]


@pytest.mark.parametrize("part", ["valid", "test"])
def test_an_unknown_word_is_named_with_its_line_or_read_as_such(ptb, tmp_path, part):
    path = tmp_path / "ptb" / f"ptb.{part}.txt"
    path.write_text("\n w01 w02 \n w03 zebra w04 yak\n")
    with pytest.raises(RequestError) as error:
        ptb().train()
    assert str(error.value) == (
        f"{path}, line 3: 'zebra' is not a word of the training part; correct the text, or set "
        "dataset.unknown_words=unk to read such words as <unk>"
    )
    data = ptb(unknown_words="unk", vocabulary=WORDS + 2)
    short = {"valid": "val", "test": "test"}[part]
    assert words_of(data, short) == ["<eos>", "w01", "w02", "<eos>", "w03", "<unk>", "w04", "<unk>", "<eos>"]
    assert data.fingerprint()[f"{short}_unknown_words"] == "2 of 9"


def test_a_text_that_has_the_unknown_word_gets_no_second_one(ptb, tmp_path):
    path = tmp_path / "ptb" / "ptb.train.txt"
    path.write_text(path.read_text() + " <unk> w01 \n")
    assert ptb(unknown_words="unk", vocabulary=None).task.num_outputs == WORDS + 2


@pytest.mark.parametrize("missing", ["train", "valid", "test"])
def test_a_missing_file_says_what_was_looked_for(ptb, tmp_path, missing):
    (tmp_path / "ptb" / f"ptb.{missing}.txt").rename(tmp_path / "ptb" / "other.txt")
    with pytest.raises(RequestError) as error:
        ptb().train()
    names = f"ptb.{missing}.txt, wiki.{missing}.tokens, {missing}.txt"
    assert str(error.value) == (
        f"dataset: none of {names} is in {tmp_path / 'ptb'}; put it there, set dataset.folder or paths.data=DIR, "
        "or set dataset.download=true to fetch the published one"
    )


@pytest.mark.parametrize("content", [b"", b"\n \n\n"])
def test_a_file_without_words_is_refused(ptb, tmp_path, content):
    (tmp_path / "ptb" / "ptb.test.txt").write_bytes(content)
    with pytest.raises(RequestError, match=r"ptb.test.txt: holds no words; fetch it again"):
        ptb().train()


def test_a_file_that_is_no_text_is_refused(ptb, tmp_path):
    (tmp_path / "ptb" / "ptb.train.txt").write_bytes(b"w01 \xff\xfe")
    with pytest.raises(RequestError, match=r"ptb.train.txt: is no UTF-8 text"):
        ptb().train()


@pytest.mark.parametrize(("part", "size", "targets"), [("val", 10, 7), ("test", 64, 79), ("train", 40, 1)])
def test_steps_longer_than_a_column_are_refused(ptb, part, size, targets):
    split = getattr(ptb(bptt=90, limit_val=80, limit_test=80, limit_train=80), part)()
    with pytest.raises(RequestError) as error:
        split.batch(size, 0, 0)
    assert str(error.value) == (
        f"dataset.bptt=90 is longer than the data: the {part} part of 80 tokens has {targets} to predict in each of "
        f"{1 if part == 'test' else size} columns; lower dataset.bptt or the batch size, or raise the part's limit"
    )


def test_the_fingerprint_is_of_files_and_vocabulary(ptb, tmp_path):
    first = ptb().fingerprint()
    assert first["val"] == hashlib.sha256((tmp_path / "ptb" / "ptb.valid.txt").read_bytes()).hexdigest()
    assert first == ptb(seed=3, limit_train=50).fingerprint()
    path = tmp_path / "ptb" / "ptb.train.txt"
    path.write_text(path.read_text().replace("w07", "w77"))
    changed = ptb(unknown_words="unk", vocabulary=None).fingerprint()
    assert {name for name in first if changed[name] != first[name]} == {"train", "vocabulary"}


def test_loss_and_perplexity(ptb):
    data, generator = ptb(), torch.Generator().manual_seed(0)
    logits, targets = torch.randn(12, 31, generator=generator), torch.arange(12)
    expected = -sum(torch.log_softmax(logits.double(), 1)[i, i].item() for i in range(12)) / 12
    assert data.loss(logits, targets).item() == pytest.approx(expected, rel=1e-5)
    found = data.metrics({"loss": data.measure(logits, targets)["loss"].item()}, 12)
    assert found == {"loss": pytest.approx(expected, rel=1e-5), "perplexity": pytest.approx(np.exp(expected), rel=1e-4)}
    assert data.metrics({"loss": 1e6}, 1)["perplexity"] == float("inf")


def test_batches_and_measures_wait_for_no_device(ptb, no_waiting):
    split = ptb().full()
    split.batch(4, 0, 0)
    _, y = split.batch(4, 0, 1)
    ptb().measure(torch.zeros(len(y), 31), y)


@pytest.fixture
def web(monkeypatch, tmp_path):
    """Stand in for the network: return a dict from addresses to what lies there."""
    there = {}

    def urlopen(url, timeout):
        if url not in there:
            raise OSError("no route")
        return io.BytesIO(there[url])

    monkeypatch.setattr(_download, "urlopen", urlopen)
    return there


def publish(monkeypatch, name, contents, members=()):
    files = [Published(f"https://x/{n}", hashlib.md5(c).hexdigest(), members) for n, c in contents.items()]
    monkeypatch.setitem(_download.PUBLISHED, name, files)
    return {f"https://x/{n}": c for n, c in contents.items()}


def contents_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_download_brings_the_files_and_reads_them(dataset, tmp_path, web, monkeypatch):
    write_ptb(tmp_path / "elsewhere")
    there = contents_of(tmp_path / "elsewhere" / "ptb")
    web |= publish(monkeypatch, "ptb", there)
    with pytest.raises(RequestError, match=r"dataset.download=true"):
        dataset("ptb", **SMALL).train()
    assert not (tmp_path / "ptb").exists()
    assert dataset("ptb", download=True, **SMALL).train()
    assert contents_of(tmp_path / "ptb") == there


def test_a_download_unpacks_an_archive(dataset, tmp_path, web, monkeypatch):
    write_ptb(tmp_path / "elsewhere", "wiki.{}.tokens")
    there, packed = contents_of(tmp_path / "elsewhere" / "ptb"), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in there.items():
            archive.writestr(f"wikitext-2/{name}", content)
    members = tuple(f"wikitext-2/{name}" for name in there)
    web |= publish(monkeypatch, "wikitext2", {"wikitext-2-v1.zip": packed.getvalue()}, members)
    assert dataset("wikitext2", download=True, **SMALL).train()
    assert contents_of(tmp_path / "wikitext-2") == there


def test_a_download_with_another_checksum_leaves_nothing(dataset, tmp_path, web, monkeypatch):
    web |= dict.fromkeys(publish(monkeypatch, "ptb", {"ptb.train.txt": b"a b\n"}), b"a c\n")
    with pytest.raises(RunError, match=r"dataset.download: the md5 of https://x/ptb.train.txt is \w+ and not \w+; put"):
        dataset("ptb", download=True).train()
    assert not (tmp_path / "ptb").exists()


def test_a_download_that_does_not_arrive_says_so(dataset, web):
    with pytest.raises(
        RunError, match=r"dataset.download: https://raw.*ptb.train.txt did not arrive \(no route\); put"
    ):
        dataset("ptb", download=True).train()
