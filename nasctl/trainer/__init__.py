"""Trainers: how one stand-alone network is trained."""
