"""The genotype of recurrent highway networks: the number of highway layers of a time step."""

from __future__ import annotations

from nasctl.genotype_format._depth import DepthFormat

FORMAT = DepthFormat("rhn", "depth", "highway")
