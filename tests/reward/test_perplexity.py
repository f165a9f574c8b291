"""The rewards of language models: the published formulas, and what has no perplexity."""

import math

import pytest

from nasctl.errors import RequestError


@pytest.mark.parametrize(
    ("name", "formula"), [("perplexity", lambda p: 80 / p**2), ("perplexity_enas", lambda p: 80 / p)]
)
@pytest.mark.parametrize("perplexity", [1.0, 55.7, 1e4])
def test_presets_are_the_published_formulas(reward, name, formula, perplexity):
    made = reward(name)
    assert made.resources == ()
    assert made({"loss": 1.0, "perplexity": perplexity}) == pytest.approx(formula(perplexity), rel=1e-12)
    assert made.quality({"perplexity": perplexity}) == made({"perplexity": perplexity})


def test_an_infinite_perplexity_is_worth_nothing(reward):
    assert reward("perplexity")({"perplexity": math.inf}) == 0.0


def test_data_without_a_perplexity_are_refused(reward):
    with pytest.raises(RequestError, match=r"reward=perplexity: this data set measures error, loss; choose .*=ptb"):
        reward("perplexity")({"error": 1.0, "loss": 2.0})
