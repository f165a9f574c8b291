"""Genotype formats, one object a family: rules, texts, edges and features. Nothing here imports torch."""
