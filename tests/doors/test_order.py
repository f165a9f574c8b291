"""Three candidates pending, whose results arrive in each of the six orders, with and without a kill."""

from collections import Counter
from pathlib import Path

import pytest

from tests.doors.test_pending import EVOLUTION, ORDERS, resumed, searched

TRIALS = "budget.trials=11"


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """Return the trials.jsonl of a search that the serial executor does."""
    folder = tmp_path_factory.mktemp("serial")
    searched(folder / "run", *EVOLUTION, TRIALS)
    return (folder / "run" / "trials.jsonl").read_bytes()


@pytest.mark.parametrize("order", ORDERS)
def test_in_the_order_asked_no_arrival_changes_a_trial(order, serial, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrival = ["executor=shuffled", f"executor.order={list(order)}", TRIALS]
    searched("whole", *EVOLUTION, *arrival)
    _, saved = resumed("halved", *EVOLUTION, *arrival, stop_after=5)
    assert Path("whole/trials.jsonl").read_bytes() == Path("halved/trials.jsonl").read_bytes() == serial
    assert len(saved["candidates"]) in (2, 3)  # three were pending when it was killed; the checkpoint may be older


@pytest.mark.parametrize("order", ORDERS)
def test_as_they_arrive_none_is_lost_or_told_twice(order, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ["strategy=random_search", "executor=shuffled", f"executor.order={list(order)}", TRIALS]
    expected = searched("ordered", *settings)
    found = searched("whole", *settings, "ordered=false")
    again, _ = resumed("halved", *settings, "ordered=false")
    assert [trial["index"] for trial in expected] == list(range(11))
    for trials in (found, again):
        assert sorted(trials, key=lambda trial: trial["index"]) == expected
        assert set(Counter(trial["index"] for trial in trials).values()) == {1}
    if order != (0, 1, 2):
        assert [trial["index"] for trial in found] != list(range(11))
