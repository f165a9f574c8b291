"""Functions compiled by `torch.compile`, where that works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch

log = logging.getLogger("nasctl")


class Compilation:
    """Calls the compiled function; goes on with the function as it is, and says so once, if compilation fails.

    ``setting`` is what asked for it; ``options`` go to `torch.compile`. Compiled and plain kernels round
    differently, so results differ in the last bits.
    """

    def __init__(self, function: Callable[..., Any], setting: str, **options: Any) -> None:
        self.function, self.setting = function, setting
        self.call: Any = torch.compile(function, **options)

    def __call__(self, *arguments: Any) -> Any:
        if self.call is self.function:
            return self.function(*arguments)
        try:
            return self.call(*arguments)
        except Exception as error:  # whatever the compiler makes of it; an error of the function's own comes again
            reason = str(error).strip().partition("\n")[0]
            log.warning("%s: compilation failed (%s: %s); going on without it", self.setting, _name(error), reason)
            self.call = self.function
            return self.function(*arguments)


def _name(error: Exception) -> str:
    return type(error).__name__
