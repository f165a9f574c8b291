"""Take steps of the tree that is imported, as often as standard input asks: the far end of `benchmarks.two_commits`.

A line ``NAME`` prepares a step and warms it up, a line with a number takes so many of them and answers the seconds.
This file runs with the code of either commit, so it knows only what both have.
"""

import importlib
import json
import sys
from importlib import resources

import torch


def benchmark(name):
    return importlib.import_module(f"benchmarks.{name}")


def path():
    walk, problem = importlib.import_module("nasctl.walk"), benchmark("problem")
    space = problem.space()
    return benchmark("path_step").steps(space, walk.uniform(space, torch.Generator().manual_seed(0)))[0]


def retrain():
    text = resources.files("nasctl.space").joinpath("genotypes/darts/DARTS_V2.json").read_text()
    genotype = json.loads(text)
    network = benchmark("problem").space().build(genotype.get("genotype", genotype), "final")
    network.auxiliary = None
    return benchmark("retrain_step").Step(network, "channels_last")


def policy():
    module = benchmark("policy_gradient")
    return module.batch(module.space("nats_size"), "macs", 75e6, "exact", 512)


STEPS = {
    "search step, first order": lambda: benchmark("search_step").ours("first_order", 16, "channels_last"),
    "search step, second order": lambda: benchmark("search_step").ours("finite_difference", 16, "channels_last"),
    "weight step of a path": path,
    "retrain step": retrain,
    "rnn search step": lambda: benchmark("rnn_step").search_step(64, False),
    "rnn retraining step": lambda: benchmark("rnn_step").training_step(64, False),
    "policy gradient of 512 replicas": policy,
}


def main():
    seconds = benchmark("pairs").seconds
    step, answers = None, sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        if line.strip() in STEPS:
            step = STEPS[line.strip()]()
            took = [seconds(step) for _ in range(2)][-1]
        else:
            count = int(line)
            took = seconds(lambda: [step() for _ in range(count)]) / count  # noqa: B023 called at once
        print(took, file=answers, flush=True)


if __name__ == "__main__":
    main()
