"""The genotype of residual networks for small images: the blocks of each of three stages."""

from __future__ import annotations

from nasctl.genotype_format._stages import StagesFormat

FORMAT = StagesFormat("resnet", 3, ("two conv_3x3", "skip_connect"))
