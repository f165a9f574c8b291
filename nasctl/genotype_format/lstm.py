"""The genotype of hand-made LSTM language models: the number of layers."""

from __future__ import annotations

from nasctl.genotype_format._depth import DepthFormat

FORMAT = DepthFormat("lstm", "layers", "lstm")
