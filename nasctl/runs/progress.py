"""Show how a run is going: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

LIVE_SECONDS, PLAIN_SECONDS = 0.5, 15.0


class Progress:
    """Called with what a step wants to show; looks at it only now and then, so no step waits for the device.

    Values may be functions, which are called then. ``share`` of the whole gives the time left; shares are not shown.
    """

    def __init__(self, cost: Callable[[], float]) -> None:
        self.cost = cost
        self.live = sys.stderr.isatty()
        self.every = LIVE_SECONDS if self.live else PLAIN_SECONDS
        self.started = self.shown = time.monotonic()
        self.share: float | None = None
        self.first_share: float | None = None
        self.status: Any = None

    def __enter__(self) -> Progress:
        if self.live:
            from rich.console import Console
            from rich.status import Status

            self.status = Status("starting", console=Console(stderr=True))
            self.status.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.status is not None:
            self.status.stop()

    def __call__(self, values: Mapping[str, Any]) -> None:
        self.share = share = self.share if values.get("share") is None else values["share"]
        if self.first_share is None:
            self.first_share = share
        now = time.monotonic()
        if now - self.shown < self.every:
            return
        self.shown = now
        text = "  ".join([*described(values), f"cost {duration(self.cost())}", *self._left(share, now)])
        if self.status is not None:
            self.status.update(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def _left(self, share: float | None, now: float) -> list[str]:
        if share is None or self.first_share is None or share <= self.first_share:
            return []
        left = (now - self.started) * (1 - share) / (share - self.first_share)
        return [f"{share:.0%} done", f"{duration(left)} left"]


def described(values: Mapping[str, Any]) -> list[str]:
    """Return ``name value`` of everything that has a value."""
    known = {
        name: value() if callable(value) else value for name, value in values.items() if not name.endswith("share")
    }
    return [f"{name.replace('_', ' ')} {_number(value)}" for name, value in known.items() if value is not None]


def _number(value: Any) -> str:
    return value if isinstance(value, str) else f"{float(value):.4g}"


def duration(seconds: float) -> str:
    """Return seconds as 45s, 12m30s, 3h05m or 2d04h."""
    s = round(seconds)
    if s < 60:
        return f"{s}s"
    if s < 3600:
        return f"{s // 60}m{s % 60:02}s"
    return f"{s // 3600}h{s % 3600 // 60:02}m" if s < 86400 else f"{s // 86400}d{s % 86400 // 3600:02}h"
