"""A factorial design as text: the errors of each cell, and the shares of the variance with the levels they hold for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nasctl.report.view._comparison.factorial import RULE, FactorialDesign, Share

Table = tuple[str, Sequence[Mapping[str, str]], Sequence[str]]
"""The title, the rows and the remarks of a table."""

_METHOD = (
    "Variance components of the two-way random-effects model (expected mean squares), truncated at zero, as shares of "
    "the total variance, with generalized 95 % intervals."
)
_ASSUMED = "The intervals take the levels for random draws and the effects for normal; other levels have other shares."


def tables_of(found: FactorialDesign) -> Iterator[Table]:
    """Yield the table of errors and the table of shares."""
    rows = [
        {"architecture": name} | {recipe: str(figure) for recipe, figure in zip(found.recipes, figures, strict=True)}
        for name, figures in zip(found.architectures, found.errors, strict=True)
    ]
    left_out = "; ".join(found.left_out)
    missing = [f"Left out: {left_out}. The design is {RULE}."] * bool(left_out)
    yield "Architecture or recipe: test error (%) by both, n counts retrain seeds", rows, missing
    parts = [{"source": share.source, "share of the variance (%)": text(share)} for share in found.shares]
    yield "Architecture or recipe: what explains the spread", parts, [*_levels(found), _METHOD, _ASSUMED]


def text(share: Share) -> str:
    """Return a share in percent with its interval, or with the reason why there is none."""
    value = f"{100 * share.value:.1f}"
    if share.low is None or share.high is None:
        return f"{value} ({share.remark})"
    return f"{value} [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def _levels(found: FactorialDesign) -> Iterator[str]:
    names, recipes = "; ".join(found.architectures), "; ".join(found.recipes)
    yield f"Levels: {len(found.architectures)} architectures ({names}); {len(found.recipes)} recipes ({recipes})."
    listed = ", ".join(map(str, found.seeds))
    yield (
        f"Seeds {listed} are in every cell and are blocks: a factor of their own, crossed with both others."
        if found.blocked
        else f"Seeds are not the same in every cell: {found.errors[0][0].n} of each cell are its repetitions."
    )
