"""Where an architecture comes from: runs, genotype files, published genotypes, texts and chance."""

from nasctl.genotype_source.find import (
    RANDOM,
    Source,
    architecture_record,
    check_space,
    drawn,
    find,
    searched,
)
from nasctl.genotype_source.load import Loaded, load
from nasctl.genotype_source.published import PUBLISHED

__all__ = [
    "PUBLISHED",
    "RANDOM",
    "Loaded",
    "Source",
    "architecture_record",
    "check_space",
    "drawn",
    "find",
    "load",
    "searched",
]
