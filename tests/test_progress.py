"""What a user sees while a run goes on."""

from __future__ import annotations

import pytest

from nasctl.runs.progress import Progress, described, duration


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_plain_lines_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    looked: list[int] = []
    with Progress(cost=lambda: 61.0) as progress:
        for second in range(31):
            clock[0] = second
            progress({"phase": "search", "share": second / 60, "loss": lambda: looked.append(1) or 0.5, "error": None})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(looked) == 2  # nothing is looked at between two lines
    assert lines[-1] == "phase search  loss 0.5  cost 1m01s  50% done  30s left"


def test_the_share_of_the_whole_outlives_steps_without_one(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(cost=lambda: 0.0) as progress:
        progress({"share": 0.0})
        clock[0] = 10
        progress({"share": 0.25})
        clock[0] = 20
        progress({"phase": "candidate 3", "share": None})
    assert "25% done" in capsys.readouterr().err


def test_values_are_named_and_rounded() -> None:
    values = {"skip_connections": 3, "loss": 1.23456, "entropy": lambda: None, "share": 0.5, "phase": "search"}
    assert described(values) == ["skip connections 3", "loss 1.235", "phase search"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(45.4, "45s"), (750, "12m30s"), (11_100, "3h05m"), (187_200, "2d04h"), (59.6, "1m00s")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
