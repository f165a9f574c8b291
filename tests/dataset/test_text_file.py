"""Texts as people hold them: encodings, line ends, marks of sentence ends; the same words, or a sentence."""

import random

import numpy as np
import pytest

from nasctl.dataset import _download, ptb
from nasctl.dataset._corpus import digest_of, tokens
from nasctl.dataset._text_file import read_sentences
from nasctl.errors import RequestError
from tests.text import LINES, WORDS, lines, write_ptb

PLAIN = ["w01 w02", "", "w03", "w04 w05 w06"]
RIGHT = ["w01", "w02", "<eos>", "<eos>", "w03", "<eos>", "w04", "w05", "w06", "<eos>"]
SMALL = {"vocabulary": WORDS + 1, "bptt": 7}


def text(line_end="\n", mark="", blank=" ", last=True):
    written = [line.replace(" ", blank) + (f" {mark}" if mark else "") for line in PLAIN]
    return line_end.join(written) + (line_end if last else "")


@pytest.fixture
def read(tmp_path):
    def of(content):
        path = tmp_path / "text.txt"
        path.write_bytes(content)
        return tokens(read_sentences(path))

    return of


DRESSES = {
    "plain": text().encode(),
    "without the last line end": text(last=False).encode(),
    "<eos> at every end": text(mark="<eos>").encode(),
    "<eos> at some ends": b"w01 w02 <eos>\n\nw03\nw04 w05 w06 <eos>\n",
    "<eos> within one line": b"w01 w02 <eos> <eos> w03 <eos> w04 w05 w06 <eos>\n",
    "<eos> within one line that the last lacks": b"w01 w02 <eos> <eos> w03 <eos> w04 w05 w06",
    "Windows": text("\r\n").encode(),
    "old Macintosh": text("\r").encode(),
    "Windows with <eos>": text("\r\n", "<eos>").encode(),
    "a mark of UTF-8": b"\xef\xbb\xbf" + text().encode(),
    "UTF-16": text().encode("utf-16"),
    "UTF-16, most significant first": b"\xfe\xff" + text().encode("utf-16-be"),
    "UTF-16 of Windows with <eos>": text("\r\n", "<eos>").encode("utf-16"),
    "UTF-32": text().encode("utf-32"),
    "joined files, each with its mark": "\ufeffw01 w02\n\n\ufeffw03\nw04 \ufeff w05 w06\n".encode(),
    "form feeds": text().replace("w03", "\f w03").encode(),
    "no-break spaces": text(blank="\u00a0").encode(),
    "Unicode's line separator between words": text(blank="\u2028").encode(),
    "Unicode's paragraph separator and next line": text(blank="\u2029\x85").encode(),
    "vertical tabs and file separators": text(blank="\v\x1c").encode(),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_words_come_out_of_every_dress(read, dress):
    assert read(DRESSES[dress]) == RIGHT


def test_generated_texts_are_read_alike_with_and_without_marks_at_their_ends(read):
    for seed in range(200):
        draw = random.Random(seed)
        sentences = [[f"w{draw.randrange(9)}" for _ in range(draw.randrange(5))] for _ in range(8)]
        plain = "".join(" ".join(words) + "\n" for words in [["w0"], *sentences])
        marked = "".join(" ".join([*words, "<eos>"]) + "\n" for words in [["w0"], *sentences])
        end, code = draw.choice(["\n", "\r\n"]), draw.choice(["utf-8", "utf-8-sig", "utf-16"])
        assert read(marked.replace("\n", end).encode(code)) == read(plain.encode()), seed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text().encode("utf-16-le"), r"line 1: holds NUL, which is no text; convert the file to UTF-8"),
        (b"w01\nw02 \x00 w03\n", "line 2: holds NUL"),
        (b"w01\nw02\x00w03\n", "line 2: holds NUL"),
        ("w01 caf\u00e9\n".encode("latin-1"), "is no UTF-8 text .*; convert it to UTF-8"),
        (text().encode() + "caf\u00e9\n".encode("cp1252"), "is no UTF-8 text"),
        (text().encode("utf-16")[:-1], "is no UTF-16 text"),
        (b"\x1f\x8b\x08\x00 packed", "is no UTF-8 text"),
        (b"w01 w02\n<eos>\nw03\n<eos>\n", "line 2: holds nothing but <eos>, but the end of line 1 counts as one; join"),
        (b"w01 w02 </s>\n" * 12, "every line ends with '</s>', which would count as a word"),
        (b"<s> w01 w02\n" * 12, "every line begins with '<s>'"),
        (b"w01 w02 [SEP]\n" * 12, r"every line ends with '\[SEP\]'"),
        (b"w01 w02 <EOS>\n\n" * 12, "every line ends with '<EOS>'"),
        (b"\xef\xbb\xbf\n\n", "holds no words"),
        (b"", "holds no words"),
    ],
)
def test_what_would_become_other_words_is_refused(read, content, said):
    with pytest.raises(RequestError, match=said):
        read(content)


def test_an_unknown_word_is_named_with_its_line_where_lines_hold_several_sentences(dataset, tmp_path):
    write_ptb(tmp_path)
    path = tmp_path / "ptb" / "ptb.valid.txt"
    path.write_text("w01 <eos> w02 <eos> w03\n\nw01 <eos>\nw02 <eos> zebra\nw03\n")
    with pytest.raises(RequestError, match=rf"{path}, line 4: 'zebra' is not a word of the training part"):
        dataset("ptb", **SMALL).train()


@pytest.fixture
def known(monkeypatch):
    """Have the small text published, with its words as its hash if ``hashed``."""

    def publish(hashed=True, name="ptb"):
        shorts = {"train": "train", "val": "valid", "test": "test"}
        words = {short: [w for line in lines(part) for w in (*line.split(), "<eos>")] for short, part in shorts.items()}
        sums = {part: digest_of(written) for part, written in words.items()} if hashed else None
        counts = {part: len(written) for part, written in words.items()}
        monkeypatch.setitem(_download.TEXTS, name, _download.Text(counts, WORDS + 1, sums))

    ptb._corpus.cache_clear()
    yield publish
    ptb._corpus.cache_clear()


@pytest.mark.parametrize("hashed", [True, False])
def test_a_published_text_is_known_in_every_dress(dataset, tmp_path, known, hashed):
    known(hashed)
    write_ptb(tmp_path)
    for part in LINES:
        path = tmp_path / "ptb" / f"ptb.{part}.txt"
        path.write_bytes("".join(f"{line} <eos>\r\n" for line in lines(part)).encode("utf-16"))
    data = dataset("ptb", **SMALL)
    assert data.fingerprint()["published"] == "yes" and data.train()


def test_a_text_of_ones_own_is_known_as_such(dataset, tmp_path, known):
    known()
    write_ptb(tmp_path)
    path = tmp_path / "ptb" / "ptb.valid.txt"
    path.write_text(path.read_text().replace("w03 w04", "w04 w03", 1))  # as many tokens, in another order
    data = dataset("ptb", **SMALL)
    assert data.fingerprint()["published"] == "no" and data.train()


@pytest.mark.parametrize("part", ["train", "valid", "test"])
@pytest.mark.parametrize("change", ["w01\n", "\n", "<eos> <eos>\n"])
def test_a_text_that_claims_to_be_published_has_its_number_of_tokens(dataset, tmp_path, known, part, change):
    known()
    write_ptb(tmp_path)
    path = tmp_path / "ptb" / f"ptb.{part}.txt"
    path.write_text(path.read_text() + change)
    with pytest.raises(RequestError, match=rf"{path}: has [\d,]+ tokens with sentence ends where the published text "):
        dataset("ptb", **SMALL).train()
    own = dataset("ptb", **{**SMALL, "vocabulary": None})
    assert own.fingerprint()["published"] == "no" and own.train()


def test_the_published_counts_are_those_of_the_papers():
    assert _download.TEXTS["ptb"].tokens == {"train": 929_589, "val": 73_760, "test": 82_430}
    assert _download.TEXTS["wikitext2"].tokens == {"train": 2_088_628, "val": 217_646, "test": 245_569}


def test_one_file_cannot_stand_for_two_parts(dataset, tmp_path):
    write_ptb(tmp_path)
    folder = tmp_path / "ptb"
    (folder / "ptb.test.txt").write_bytes((folder / "ptb.train.txt").read_bytes())
    with pytest.raises(RequestError, match=r"ptb\.test\.txt: holds the same as .*ptb\.train\.txt; put the part there"):
        dataset("ptb", **SMALL).train()


def test_doubled_ends_are_not_in_the_ids(dataset, tmp_path):
    write_ptb(tmp_path)
    plain = dataset("ptb", **SMALL).corpus
    for part in LINES:
        path = tmp_path / "ptb" / f"ptb.{part}.txt"
        path.write_text("".join(f" {line} <eos> \n" for line in lines(part)))
    marked = dataset("ptb", **SMALL).corpus
    assert marked.words == plain.words
    assert all(np.array_equal(marked.parts[part], plain.parts[part]) for part in plain.parts)
