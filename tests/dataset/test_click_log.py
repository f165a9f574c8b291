"""The reader of click logs: every field as plainly written code reads it, and every fault with its line."""

import gzip
import math

import numpy as np
import pytest

from nasctl.dataset import _click_log
from nasctl.dataset._click_log import ClickLog
from nasctl.dataset._click_rows import Rows
from nasctl.dataset._fields import decimals, hexadecimals, not_hexadecimal, pad, words
from nasctl.errors import RequestError
from tests.dataset.clicks import COLUMNS, lines, text


@pytest.fixture
def read(tmp_path):
    """Return a function from a file's bytes to the joined rows and the log that read them."""

    def run(data, separator="\t", header=False, on_bad_rows="error"):
        (tmp_path / "clicks").write_bytes(data)
        log = ClickLog(tmp_path / "clicks", separator=separator, header=header, on_bad_rows=on_bad_rows)
        return Rows.join(list(log.blocks())), log

    return run


def assert_reads(rows, fields):
    assert rows.labels.tolist() == [int(f[0]) for f in fields]
    numbers = np.array([[float(v) if v else math.nan for v in f[1:14]] for f in fields])
    assert np.array_equal(rows.numbers, numbers.T, equal_nan=True)
    known = np.array([[v != "" for v in f[14:]] for f in fields]).T
    assert np.array_equal(rows.known, known)
    assert np.array_equal(rows.keys[known], np.array([[int(v or "0", 16) for v in f[14:]] for f in fields]).T[known])


def field_words(fields):
    data = np.frombuffer(bytes(8) + b"\t".join(fields) + b"\t", np.uint8)
    ends = np.flatnonzero(data == 9)
    found = words(data, ends)
    pad(found, np.array([len(f) for f in fields]))
    return found


@pytest.mark.parametrize("byte", range(1, 256))
def test_each_byte_is_a_digit_or_is_not(byte):
    if byte == 9:
        return
    for place in range(8):
        field = bytearray(b"12345678")
        field[place] = byte
        fields = [b"0", bytes(field)]
        decimal = not decimals(field_words(fields))[1][1]
        assert decimal == (chr(byte) in "0123456789")
        assert not_hexadecimal(field_words(fields))[1] != (chr(byte) in "0123456789abcdefABCDEF")


def test_numbers_of_every_length():
    fields = [b"90817263"[:n] for n in range(1, 9)]
    assert decimals(field_words(fields))[0].tolist() == [int(f) for f in fields]
    fields = [b"fA0b9C1e"[:n] for n in range(1, 9)]
    assert hexadecimals(field_words(fields)).tolist() == [int(f, 16) for f in fields]


@pytest.mark.parametrize("block", [1, 300, 1 << 19])
def test_every_field_is_read_wherever_blocks_end(read, monkeypatch, block):
    monkeypatch.setattr(_click_log, "_BLOCK", block)
    fields = lines(40)
    rows, log = read(text(fields))
    assert_reads(rows, fields)
    assert (log.rows, log.bad_rows) == (40, 0)


def test_the_end_of_the_last_line_may_be_missing_and_lines_may_end_as_on_windows(read):
    fields = lines(5)
    fields[-1][-1] = fields[1][-1] = ""
    assert_reads(read(text(fields)[:-1])[0], fields)
    assert_reads(read(text(fields, end="\r\n"))[0], fields)


def test_gzip_is_known_by_its_content_and_gives_the_same_digest(read):
    fields = lines(30)
    plain, zipped = read(text(fields)), read(gzip.compress(text(fields)))
    assert_reads(zipped[0], fields)
    assert zipped[1].digest == plain[1].digest != read(text(lines(30, seed=1)))[1].digest


def test_csv_with_a_header_in_any_order_with_other_columns_and_whole_decimals(read):
    fields = lines(30)
    shown = [[*reversed([v + ".0" if 0 < i < 14 and v else v for i, v in enumerate(f)]), "7"] for f in fields]
    header = [*reversed([name.upper() for name in COLUMNS]), "id"]
    assert_reads(read(text([header, *shown], ","), ",", header=True)[0], fields)


def test_a_header_without_a_column_names_it_and_the_nearest_one(read):
    header = [*COLUMNS[:-1], "C27"]
    with pytest.raises(RequestError, match=r"clicks, line 1: .*unknown 'c26'; did you mean 'c"):
        read(text([header, *lines(2)]), header=True)


FAULTS = {
    "columns": (lambda f: f[:39], "39 columns where 40 belong"),
    "more columns": (lambda f: [*f, "x"], "41 columns where 40 belong"),
    "blank line": (lambda f: [], "1 columns where 40 belong"),
    "label": (lambda f: ["2", *f[1:]], "label is '2', not 0 or 1"),
    "no label": (lambda f: ["", *f[1:]], "label is '', not 0 or 1"),
    "integer": (lambda f: [*f[:3], "1x", *f[4:]], "I3 is '1x', not an integer"),
    "minus": (lambda f: [*f[:3], "-", *f[4:]], "I3 is '-', not an integer"),
    "long": (lambda f: [*f[:13], "12345678x9", *f[14:]], "I13 is '12345678x9', not an integer"),
    "fraction": (lambda f: [*f[:3], "1.5", *f[4:]], "I3 is '1.5', not an integer"),
    "key": (lambda f: [*f[:14], "g0000000", *f[15:]], "C1 is 'g0000000', not up to 8 hexadecimal digits"),
    "long key": (lambda f: [*f[:39], "123456789"], "C26 is '123456789', not up to 8 hexadecimal digits"),
    "not utf-8": (lambda f: [*f[:39], "\udcff0000000"], "C26 is '\ufffd0000000', not up to 8 hexadecimal digits"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", [0, 13, 24])
def test_a_line_that_cannot_be_read_is_named_or_skipped(read, monkeypatch, fault, at):
    monkeypatch.setattr(_click_log, "_BLOCK", 2000)
    spoil, sentence = FAULTS[fault]
    fields = lines(25)
    spoilt = [*fields[:at], spoil(fields[at]), *fields[at + 1 :]]
    data = "".join("\t".join(f) + "\n" for f in spoilt).encode("utf-8", "surrogateescape")
    with pytest.raises(RequestError) as error:
        read(data)
    assert f"clicks, line {at + 1}: {sentence}" in str(error.value)
    assert str(error.value).endswith("; correct the line or set dataset.on_bad_rows=skip")
    rows, log = read(data, on_bad_rows="skip")
    assert_reads(rows, [*fields[:at], *fields[at + 1 :]])
    assert (log.rows, log.bad_rows) == (24, 1)


def test_a_header_where_none_is_expected(read):
    with pytest.raises(RequestError, match=r"line 1: label is 'label'.*a header\? then set dataset\.header=true"):
        read(text([COLUMNS, *lines(3)]))


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0), b"\n"])
def test_a_file_without_rows_is_refused(read, data):
    with pytest.raises(RequestError, match="holds no rows; name a click log"):
        read(data, on_bad_rows="skip")


def test_a_truncated_or_damaged_gzip_is_refused_with_the_line_reached(read, monkeypatch):
    monkeypatch.setattr(_click_log, "_BLOCK", 2000)
    whole = gzip.compress(text(lines(400)))
    for data in (whole[:-2000], whole[:3000] + bytes(50) + whole[3050:]):
        with pytest.raises(RequestError, match=r"clicks, after line \d+: the gzip data are cut short or damaged"):
            read(data)
