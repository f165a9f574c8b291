"""Criteo's click logs: the converted columns against plain code, the parts, and the cache."""

import os
from collections import Counter

import numpy as np
import pytest
import torch

from nasctl.dataset import _click_log, _columns
from nasctl.errors import RequestError, RunError
from tests.dataset.clicks import lines, text

ROWS = 400
PARTS = {"val_portion": 0.2, "test_portion": 0.3}


@pytest.fixture
def clicks(dataset, tmp_path):
    """Return a function from changes of the settings to the data set of a small file."""
    (tmp_path / "criteo").mkdir()
    (tmp_path / "criteo" / "train.txt").write_bytes(text(lines(ROWS)))
    return lambda **changes: dataset("criteo", **{"min_count": 5, **PARTS, **changes})


def caches(folder):
    return sorted(p for p in (folder / "criteo").iterdir() if p.is_dir())


def plain(fields, counted, min_count):
    """Return the inputs ``(rows, 39)`` as code without arrays makes them."""
    columns = []
    for j in range(1, 14):
        logs = [np.sign(float(f[j])) * np.log1p(abs(float(f[j]))) if f[j] else np.nan for f in fields]
        seen = [v for v, c in zip(logs, counted, strict=True) if c and not np.isnan(v)]
        columns.append([0.0 if np.isnan(v) else (v - np.mean(seen)) / np.std(seen) for v in logs])
    for j in range(14, 40):
        counts = Counter(f[j] for f, c in zip(fields, counted, strict=True) if c)
        kept = sorted((v for v in counts if counts[v] >= min_count), key=lambda v: (-counts[v], int(v or "-1", 16)))
        ids = {v: i + 1 for i, v in enumerate(kept)}
        columns.append([ids.get(f[j], 0) for f in fields])
    return np.array(columns).T


@pytest.mark.parametrize("split", ["random", "time"])
@pytest.mark.parametrize("min_count", [1, 14])
def test_inputs_equal_those_of_plain_code(clicks, split, min_count, monkeypatch):
    monkeypatch.setattr(_columns, "_CHUNK", 64)
    monkeypatch.setattr(_columns, "_GATHERED", 50)
    monkeypatch.setattr(_click_log, "_BLOCK", 3000)
    data, fields = clicks(split=split, min_count=min_count), lines(ROWS)
    expected = plain(fields, ~data.test_mask(ROWS), min_count)
    assert min_count == 1 or (expected[:, 13:] == 0).any()
    inputs = data.table.inputs(np.arange(ROWS)).numpy()
    assert inputs.dtype == np.float32
    assert np.abs(inputs[:, :13] - expected[:, :13]).max() < 1e-5
    assert np.array_equal(inputs[:, 13:], expected[:, 13:])
    assert list(data.task.categories) == [int(column.max()) + 1 for column in expected.T[13:]]
    assert data.table.targets(np.arange(ROWS)).tolist() == [int(f[0]) for f in fields]


def test_missing_numbers_may_have_inputs_of_their_own(clicks):
    data, fields = clicks(missing_inputs=True), lines(ROWS)
    assert data.task.input_shape == (52,)
    inputs = data.table.inputs(np.arange(ROWS))
    assert torch.equal(inputs[:, 13:26].bool(), torch.tensor([[v == "" for v in f[1:14]] for f in fields]))
    assert torch.equal(inputs[:, 26:], clicks().table.inputs(np.arange(ROWS))[:, 13:])


def rows(split):
    return split.order.indices.tolist()


def test_parts_are_disjoint_cover_all_and_have_their_sizes(clicks):
    data = clicks()
    train, val, test = rows(data.train()), rows(data.val()), rows(data.test())
    assert (len(train), len(val), len(test)) == (200, 80, 120)
    assert sorted(train + val + test) == list(range(ROWS))
    assert sorted(train + val) == rows(data.full())


def test_rows_to_choose_weights_by_are_a_share_of_those_retrained_on(clicks):
    data = clicks()
    kept, chosen = map(rows, data.held_out(0.1))
    assert sorted(kept + chosen) == rows(data.full()) and len(chosen) == 28
    assert chosen != rows(data.val())[:28]
    with pytest.raises(RequestError, match=r"trainer\.held_out \(0\.001\) of 280 rows leaves nothing"):
        data.held_out(0.001)


def test_by_time_the_parts_follow_each_other(clicks):
    data = clicks(split="time")
    parts = [rows(part) for part in (data.train(), data.val(), data.test())]
    assert [row for part in parts for row in part] == list(range(ROWS))


def test_the_held_out_rows_are_those_of_test_seed_for_every_seed(clicks):
    one, other = clicks(seed=1), clicks(seed=2)
    assert rows(one.test()) == rows(other.test()) != rows(clicks(test_seed=1).test())
    assert rows(one.val()) != rows(other.val())
    assert rows(clicks(seed=1, split_seed=5).val()) == rows(clicks(seed=2, split_seed=5).val())


def test_limits_keep_the_first_rows(clicks):
    data = clicks(limit_train=100, limit_test=10)
    assert rows(data.full()) == rows(clicks().full())[:100]
    assert rows(data.test()) == rows(clicks().test())[:10]
    assert len(data.val()) == round(100 * 0.2 / 0.7)


def test_batches_are_pure_shuffled_and_whole(clicks):
    data = clicks()
    inputs, targets = data.train().batch(64, 3, 1)
    assert inputs.shape == (64, 39) and targets.shape == (64,) and targets.dtype == torch.int64
    again = data.train()
    again.batch(64, 0, 0)
    assert torch.equal(again.batch(64, 3, 1)[0], inputs)
    assert not torch.equal(data.train().batch(64, 4, 1)[0], inputs)
    assert len(data.train().batch(64, 0, 3)[1]) == 200 - 3 * 64


def test_the_cache_is_used_until_file_or_settings_change(clicks, tmp_path, monkeypatch):
    first = clicks().fingerprint()
    reads = []
    real = _click_log.ClickLog.blocks
    monkeypatch.setattr(_click_log.ClickLog, "blocks", lambda self: reads.append(1) or real(self))
    assert clicks(seed=0).fingerprint() == first and not reads
    clicks(seed=3).fingerprint()  # another draw of the validation part needs no other columns
    clicks(limit_train=50).fingerprint()
    assert not reads and len(caches(tmp_path)) == 1
    for change in (
        {"min_count": 6},
        {"test_seed": 4},
        {"split": "time"},
        {"test_portion": 0.1},
        {"on_bad_rows": "skip"},
    ):
        clicks(**change).fingerprint()
    assert len(reads) == 5 and len(caches(tmp_path)) == 6
    file = tmp_path / "criteo" / "train.txt"
    os.utime(file, ns=(1, 1))
    assert clicks().fingerprint() == first and len(reads) == 6
    file.write_bytes(text(lines(ROWS + 1)))
    assert clicks().fingerprint()["data"] != first["data"] and len(reads) == 7
    assert len(caches(tmp_path)) == 6


def test_an_interrupted_conversion_leaves_no_cache_and_the_next_one_starts_anew(clicks, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_columns, "_number", interrupted)
        with pytest.raises(KeyboardInterrupt):
            clicks().fingerprint()
    assert not caches(tmp_path)
    expected = clicks().fingerprint()
    (folder,) = caches(tmp_path)
    left = folder.rename(folder.with_name(f"{folder.name}.unfinished"))  # what a killed process leaves
    (left / "label").write_bytes(b"")
    data = clicks()
    assert data.fingerprint() == expected and len(data.table) == ROWS
    assert caches(tmp_path) == [folder]


def test_a_failed_rebuild_keeps_no_stale_columns_in_use(clicks, tmp_path):
    clicks().fingerprint()
    (tmp_path / "criteo" / "train.txt").write_bytes(text(lines(3)) + b"oops\n")
    for _ in range(2):
        with pytest.raises(RequestError, match="line 4: 1 columns where 40 belong"):
            clicks().fingerprint()


def test_a_folder_that_cannot_be_written(clicks, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file/.*cannot be made .*dataset\.cache"):
        clicks(cache=str(tmp_path / "file")).train()


def test_skipped_rows_are_counted_in_the_record(clicks, tmp_path):
    (tmp_path / "criteo" / "train.txt").write_bytes(text(lines(ROWS)) + b"oops\n")
    facts = clicks(on_bad_rows="skip").fingerprint()
    assert (facts["rows"], facts["bad_rows"]) == (str(ROWS), "1")


def test_csv_variant_gives_the_same_rows(dataset, clicks, tmp_path):
    from tests.dataset.clicks import COLUMNS

    (tmp_path / "criteo" / "train.csv").write_bytes(text([COLUMNS, *lines(ROWS)], ","))
    data = dataset("criteo_csv", min_count=5, **PARTS)
    assert torch.equal(data.table.inputs(np.arange(ROWS)), clicks().table.inputs(np.arange(ROWS)))


def test_nothing_is_read_before_it_is_needed(dataset):
    data = dataset("criteo")
    assert data.task.input_shape == (39,) and len(data.task.categories) == 26 and data.task.num_outputs == 1
    with pytest.raises(RequestError, match=r"no file .*criteo/train\.txt; fetch .*dataset\.file"):
        data.train()


def test_parts_that_leave_nothing_are_refused(clicks):
    with pytest.raises(RequestError, match=r"val_portion \(0\.8\) and test_portion \(0\.3\) leave nothing"):
        clicks(val_portion=0.8)
    with pytest.raises(RequestError, match=r"val_portion \(0\.2\) of 1 rows leaves nothing"):
        clicks(limit_train=1).train()


def halve_labels(folder):
    labels = np.fromfile(folder / "label", np.uint8)
    labels[: len(labels) // 2] = 0
    labels.tofile(folder / "label")


DAMAGES = {
    "labels halved": halve_labels,
    "a number changed": lambda folder: overwrite(folder / "I7", 8, b"\x01"),
    "an id changed": lambda folder: overwrite(folder / "C26", 40, b"\x01"),
    "a column cut short": lambda folder: os.truncate(folder / "C3", 400),
    "a column too long": lambda folder: overwrite(folder / "I1", ROWS * 4, b"\0\0\0\0"),
    "a column missing": lambda folder: (folder / "C1").unlink(),
    "two columns exchanged": lambda folder: exchange(folder / "C1", folder / "C2"),
    "facts cut short": lambda folder: os.truncate(folder / "facts.json", 300),
    "facts of another vocabulary": lambda folder: edit(folder / "facts.json", '"bad_rows": 0', '"bad_rows": 1'),
    "facts of another digest": lambda folder: edit(folder / "facts.json", '"digest": "', '"digest": "0'),
    "facts that are no text": lambda folder: (folder / "facts.json").write_bytes(b"\xff\xfe\x00"),
    "facts that are a list": lambda folder: (folder / "facts.json").write_text("[1, 2]"),
    "a folder of an older version": lambda folder: edit(folder / "facts.json", '"format": 2', '"format": 1'),
}


def overwrite(path, place, content):
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def exchange(one, other):
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def edit(path, before, after):
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_made_again(clicks, tmp_path, damage):
    first = clicks()
    expected, inputs = first.fingerprint(), first.table.inputs(np.arange(ROWS))
    targets = first.table.targets(np.arange(ROWS))
    (folder,) = caches(tmp_path)
    DAMAGES[damage](folder)
    again = clicks()
    assert again.fingerprint() == expected
    assert torch.equal(again.table.inputs(np.arange(ROWS)), inputs)
    assert torch.equal(again.table.targets(np.arange(ROWS)), targets)
    assert caches(tmp_path) == [folder]


def test_a_sound_cache_is_hashed_once_a_process(clicks, monkeypatch):
    import hashlib

    clicks().fingerprint()
    real, read = hashlib.file_digest, []
    monkeypatch.setattr(hashlib, "file_digest", lambda file, kind: read.append(file.name) or real(file, kind))
    for seed in range(3):
        clicks(seed=seed).fingerprint()
    assert len(read) == 40 == len(set(read))


def test_a_mark_before_the_first_line_is_no_part_of_the_label(clicks, dataset, tmp_path):
    from tests.dataset.clicks import COLUMNS

    path = tmp_path / "criteo" / "train.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text(lines(ROWS)))
    assert clicks().table.targets(np.arange(ROWS)).tolist() == [int(f[0]) for f in lines(ROWS)]
    path.with_name("train.csv").write_bytes(b"\xef\xbb\xbf" + text([COLUMNS, *lines(ROWS)], ","))
    assert len(dataset("criteo_csv", min_count=5, **PARTS).table) == ROWS
    path.with_name("train.csv").write_bytes(text([[*COLUMNS, "label"], *([*f, "1"] for f in lines(ROWS))], ","))
    with pytest.raises(RequestError, match=r"line 1: two columns are named label; rename one of them"):
        dataset("criteo_csv", min_count=5, **PARTS).train()
