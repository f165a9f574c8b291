"""Generated click logs: the raw format, the teacher's labels, and one file for one group of settings."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from nasctl.dataset._click_rows import Rows
from nasctl.dataset._click_teacher import Teacher, text


def test_every_row_is_written_as_it_was_drawn(tmp_path):
    numbers = np.array([[np.nan, -1, 0, 7, 10, 99, 1000000]] * 13)
    keys = np.arange(26 * 7, dtype=np.uint32).reshape(26, 7) * np.uint32(0x01234567)
    known = (np.arange(26 * 7) % 5 > 0).reshape(26, 7)
    rows = Rows(np.arange(7, dtype=np.uint8) % 2, numbers, keys, known)
    lines = text(rows).decode().splitlines()
    for i, line in enumerate(lines):
        shown = ["" if np.isnan(v) else str(int(v)) for v in numbers[:, i]]
        hexes = [f"{key:08x}" if k else "" for key, k in zip(keys[:, i], known[:, i], strict=True)]
        assert line.split("\t") == [str(i % 2), *shown, *hexes]


@pytest.fixture
def small(dataset):
    return lambda **changes: dataset("criteo_synthetic", **{"rows": 500, "teacher_values": 50, **changes})


def test_the_file_has_the_raw_format_and_the_wanted_rates(small, tmp_path):
    data = small(rows=20_000, click_rate=0.2, blank=0.1, teacher_signal=0.5)
    assert len(data.table) == 20_000
    (file,) = (tmp_path / "criteo_synthetic").glob("*.txt")
    frame = pd.read_csv(file, sep="\t", header=None, dtype={i: str for i in range(14, 40)})
    assert frame.shape == (20_000, 40)
    assert frame[0].mean() == pytest.approx(0.2, abs=0.02)
    assert frame.iloc[:, 1:].isna().mean().sub(0.1).abs().max() < 0.01
    assert frame.iloc[:, 14:].stack().dropna().str.fullmatch("[0-9a-f]{8}").all()
    assert (frame.iloc[:, 1:14].min() < 0).any() and frame[39].nunique() == 50 and frame[14].nunique() == 4


def test_labels_can_be_learned_and_not_by_a_line_alone(small):
    draw = Teacher(seed=1, values=8, embedding=2, widths=[4, 32, 4], signal=20.0, click_rate=0.5, blank=0.0)
    rows = next(draw.blocks(16_000, 16_000))
    again = next(draw.blocks(16_000, 16_000))
    assert np.array_equal(rows.labels, again.labels) and np.array_equal(rows.keys, again.keys)
    numbers = np.log(rows.numbers + 1.5).T
    codes = [np.unique(k, return_inverse=True)[1] for k in rows.keys]
    one_hot = np.concatenate([numbers, *(np.eye(c.max() + 1)[c] for c in codes)], 1)
    line = LogisticRegression(max_iter=300).fit(one_hot[:8000], rows.labels[:8000])
    score = line.score(one_hot[8000:], rows.labels[8000:])
    assert 0.55 < score < 0.95


def test_the_file_is_a_function_of_its_settings(small, tmp_path):
    first = small(seed=0).fingerprint()["data"]
    assert small(seed=1, val_portion=0.2).fingerprint()["data"] == first
    assert len(list((tmp_path / "criteo_synthetic").glob("*.txt"))) == 1
    others = [{"teacher_seed": 1}, {"rows": 501}, {"teacher_widths": [8]}, {"blank": 0.0}]
    assert len({first, *(small(**other).fingerprint()["data"] for other in others)}) == 5


def test_more_rows_begin_with_the_same_rows():
    teacher = Teacher(seed=0, values=10, embedding=2, widths=[4], signal=1.0, click_rate=0.5, blank=0.0)
    few, many = (b"".join(map(text, teacher.blocks(n, 64))) for n in (128, 200))
    assert many.startswith(few) and many.count(b"\n") == 200


def test_what_is_interrupted_leaves_no_file(small, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nasctl.dataset.criteo_synthetic.text", interrupted)
        with pytest.raises(KeyboardInterrupt):
            small().train()
    assert not list((tmp_path / "criteo_synthetic").iterdir())
    assert len(small().train()) == 400


def test_batches_are_those_of_a_click_log(small):
    inputs, targets = small().train().batch(100, 0, 0)
    assert inputs.shape == (100, 39) and set(targets.tolist()) == {0, 1}
    ids = inputs[:, 13:]
    assert torch.equal(ids, ids.round()) and (ids < torch.tensor(list(small().task.categories))).all()


@pytest.mark.parametrize("damage", [lambda text: text[:-40], lambda text: text.replace(b"1\t", b"0\t", 50)])
def test_damaged_rows_are_generated_again(small, tmp_path, damage):
    first = small().fingerprint()
    (file,) = (tmp_path / "criteo_synthetic").glob("*.txt")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert small().fingerprint() == first and file.read_bytes() == whole
