"""The regret of searches to a sweep of the whole space, worked out by hand."""

import json
import re

import fabricate
import pytest
import yaml

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.report.command import compare

WIDTHS = {"layer1": ["8", "64"], "layer2": ["8", "32"]}
TRIALS = {(0, 0): (100, 0.9), (0, 1): (200, 0.5), (1, 0): (300, 0.6), (1, 1): (900, 0.4)}  # params, loss


def write(folder, **parts):
    config = yaml.safe_load((folder / "config.yaml").read_text()) | parts
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "decisions.json").write_text(json.dumps(WIDTHS))
    return folder


def swept(root, archs=tuple(TRIALS), maximize=False, losses=None, seed=0, signature="sweep000"):
    losses = losses or {arch: loss for arch, (_, loss) in TRIALS.items()}
    lines = [
        {
            "index": i,
            "arch": list(arch),
            "relaxed": False,
            "reward": 0.0,
            "metrics": {"params": TRIALS[arch][0], "macs": 10.0 * TRIALS[arch][0], "loss": losses[arch]},
            "error": None,
        }
        for i, arch in enumerate(archs)
    ]
    folder = fabricate.search(root, signature=signature, seed=seed, trials=tuple(lines), space_size=4)
    return write(folder, reward={"name": "loss", "maximize": maximize})


def searched(root, arch, constraint, seed=0, label="TabNAS", signature=None, overrides=()):
    signature = signature or f"found-{label}"
    folder = fabricate.search(root, signature=signature, seed=seed, label=label, overrides=overrides)
    record = {"arch": list(arch), "notation": "-".join(w[k] for w, k in zip(WIDTHS.values(), arch, strict=True))}
    (folder / "architecture.json").write_text(json.dumps(record))
    return write(folder, constraint=constraint)


def tables(text):
    """Return the rows of each markdown table by their header."""
    parts = [
        [line for line in part.splitlines() if line.startswith("|")]
        for part in re.split(r"^\*\*", text, flags=re.M)[1:]
    ]
    split = [[line.strip("| ").split(" | ") for line in lines] for lines in parts]
    return [[dict(zip(lines[0], row, strict=False)) for row in lines[2:]] for lines in split]  # an empty end is cut


def cells(text):
    return tables(text)[0]


WITHIN = {"resource": "params", "limit": 300}


def test_a_search_is_scored_by_the_sweep_within_its_own_limit(root):
    sweep = swept(root)
    searched(root, (1, 0), WITHIN)
    searched(root, (0, 1), WITHIN, seed=1)
    searched(root, (1, 1), WITHIN, seed=2)
    text = compare([str(root)], regret=str(sweep), format="markdown")
    first, second, third = cells(text)
    assert (first["found"], first["regret"], first["rank"]) == ("64-8", "0.10000", "2 of 3")
    assert (second["regret"], second["rank"]) == ("0.00000", "1 of 3")
    assert third["regret"] == "infeasible" and third["loss"] == "0.40000"
    (method,) = tables(text)[1]
    assert list(method.values()) == ["TabNAS", "3", "2", "0.05000 ± 0.07071 (n=2)", "1.5 (1 to 2)"]


def test_a_median_rank_has_an_interval_from_six_searches_on(root):
    sweep = swept(root)
    for seed, arch in enumerate([(0, 1), (0, 1), (1, 0), (1, 0), (0, 1), (0, 0)]):
        searched(root, arch, WITHIN, seed=seed)
    text = compare([str(root)], regret=str(sweep), format="markdown")
    (method,) = tables(text)[1]
    assert method["median rank"] == "1.5 [1, 3]" and "interval between two order statistics" in text


def test_methods_are_ordered_by_their_mean_regret_with_intervals_of_the_differences(root):
    sweep = swept(root)
    for seed, (mine, other) in enumerate([((1, 0), (0, 0)), ((0, 1), (1, 0)), ((0, 1), (0, 0))]):
        searched(root, mine, WITHIN, seed)
        searched(root, other, WITHIN, seed, label="Random search")
        searched(root, (1, 1), WITHIN, seed, label="Astray")
    _, methods, differences = tables(compare([str(root)], regret=str(sweep), format="markdown"))
    assert [row["method"] for row in methods] == ["TabNAS", "Random search", "Astray"]
    (row,) = differences
    assert list(row.values()) == ["TabNAS", "Random search", "-0.26667 [-0.64612, +0.11279]", ".094", "pairs, n=3"]


def test_methods_of_one_label_are_told_apart_by_their_settings(root):
    sweep = swept(root)
    for beta in ("-0.1", "-1"):
        searched(root, (0, 1), WITHIN, signature=f"found{beta}", overrides=[f"reward.beta={beta}"])
    methods = tables(compare([str(root)], regret=str(sweep), format="markdown"))[1]
    assert sorted(row["method"] for row in methods) == ["TabNAS, reward.beta=-0.1", "TabNAS, reward.beta=-1"]


def test_sweeps_of_several_seeds_count_by_the_mean_of_each_architecture(root):
    swept(root / "sweeps")
    swept(root / "sweeps", losses={(0, 0): 0.9, (0, 1): 0.9, (1, 0): 0.6, (1, 1): 0.4}, seed=1)
    searched(root / "found", (0, 1), WITHIN)
    text = compare([str(root)], regret=str(root / "sweeps"), format="markdown")
    (row,) = cells(text)
    assert (row["loss"], row["best within"]) == ("0.70000 ± 0.28284", "0.60000 ± 0.00000")
    assert (row["regret"], row["rank"]) == ("0.10000 ± 0.28284", "2 of 3")  # of -0.1 and 0.3
    [line] = json.loads(compare([str(root)], regret=str(root / "sweeps"), format="json"))["searches"]
    assert (line["regret"], line["regret_std"]) == (pytest.approx(0.1), pytest.approx(0.08**0.5))
    assert "best_within" in compare([str(root)], regret=str(root / "sweeps"), format="csv").splitlines()[0]
    assert "the mean of 2 sweeps" in text


@pytest.mark.parametrize("format", ["table", "markdown", "csv", "json"])
def test_a_damaged_run_is_named_in_every_format(root, format):
    sweep = swept(root)
    searched(root, (0, 1), WITHIN)
    (searched(root, (0, 1), WITHIN, seed=1) / "result.json").write_text("{")
    assert "Left out: " in compare([str(root)], regret=str(sweep), format=format)


def test_sweeps_of_different_settings_have_no_common_mean(root):
    swept(root / "sweeps")
    swept(root / "sweeps", seed=1, signature="sweep001")
    searched(root / "found", (0, 1), WITHIN)
    with pytest.raises(RequestError, match=r"are sweeps of different settings \(sweep001 and sweep000\)"):
        compare([str(root)], regret=str(root / "sweeps"), format="markdown")


def test_costs_beside_metrics_judge_limits_on_any_resource_and_lower_fidelities_do_not_count(root):
    sweep = swept(root)
    lines = [json.loads(line) for line in (sweep / "trials.jsonl").read_text().splitlines()]
    for line in lines:
        cost = {"energy_mj": line["metrics"].pop("params") / 100}
        line["metrics"].pop("macs")
        line["costs"] = cost
    early = [line | {"fidelity": 0.5, "metrics": {"loss": 0.01}} for line in lines]
    (sweep / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*lines, *early]))
    found = searched(root, (0, 1), {"limits": {"energy_mj": 3.0}})
    (row,) = cells(compare([str(root)], regret=str(sweep), format="markdown"))
    assert (row["loss"], row["best within"], row["rank"]) == ("0.50000", "0.50000", "1 of 3") and "params" not in row
    write(found, constraint={"limits": {"params": 300}})
    with pytest.raises(
        RequestError, match="a limit on params cannot be judged by a sweep that records loss, energy_mj"
    ):
        compare([str(root)], regret=str(sweep), format="markdown")


@pytest.mark.parametrize(
    "constraint, best, rank",
    [
        ({"limits": {"params": 1000, "macs": 2500}}, "0.50000", "1 of 2"),
        ({"_target_": "nasctl.constraint.none.Unconstrained"}, "0.40000", "2 of 4"),
    ],
)
def test_several_limits_and_none(root, constraint, best, rank):
    sweep = swept(root)
    searched(root, (0, 1), constraint)
    (row,) = cells(compare([str(root)], regret=str(sweep), format="markdown"))
    assert (row["best within"], row["rank"]) == (best, rank)


def test_what_is_better_when_larger_has_a_positive_regret_too(root):
    sweep = swept(root, maximize=True)
    searched(root, (0, 1), WITHIN)
    (row,) = cells(compare([str(root)], regret=str(sweep), format="markdown"))
    assert (row["best within"], row["regret"], row["loss"]) == ("0.90000", "0.40000", "0.50000")


def test_a_part_of_a_sweep_is_refused(root):
    sweep = swept(root, archs=tuple(TRIALS)[:3])
    searched(root, (0, 1), WITHIN)
    with pytest.raises(RequestError, match="is no finished sweep of a whole space"):
        compare([str(root)], regret=str(sweep), format="markdown")


@pytest.mark.parametrize("other", ["decisions", "dataset", "setting"])
def test_searches_of_another_space_or_data_set_are_left_out(root, other):
    sweep, found = swept(root), searched(root, (0, 1), WITHIN)
    if other == "decisions":
        (found / "decisions.json").write_text(json.dumps({"layer1": ["8"]}))
    if other == "dataset":
        write(found, choices=fabricate.CHOICES | {"dataset": "breast_cancer"})
    if other == "setting":
        write(found, dataset={"rows": 10})
    with pytest.raises(RequestError, match="none of these is a finished search of the sweep's space and data set"):
        compare([str(root)], regret=str(sweep), format="markdown")
    searched(root, (0, 1), WITHIN, seed=1)
    text = compare([str(root)], regret=str(sweep), format="markdown")
    assert len(cells(text)) == 1 and "Left out: 1 runs" in text


def test_where_the_files_of_a_data_set_lie_does_not_matter(root):
    sweep, found = swept(root), searched(root, (0, 1), WITHIN)
    write(found, dataset={"root": "elsewhere", "workers": 2})
    assert "1 of 3" in compare([str(root)], regret=str(sweep), format="markdown")


def test_each_replica_of_a_repeated_search_is_scored(root):
    sweep, found = swept(root), searched(root, (0, 1), WITHIN)
    shared = {"metrics": {}, "params": 1, "macs": 1, "margin": 0}
    replicas = [{"seed": seed, "arch": arch, **shared} for seed, arch in enumerate([[0, 1], [1, 0], [1, 1]])]
    (found / "replicas.jsonl").write_text("".join(json.dumps(line) + "\n" for line in replicas))
    (found / "result.json").write_text(json.dumps(json.loads((found / "result.json").read_text()) | {"repeats": 3}))
    rows = cells(text := compare([str(root)], regret=str(sweep), format="markdown"))
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert [row["regret"] for row in rows] == ["0.00000", "0.10000", "infeasible"]
    assert "| 0.05000 ± 0.07071 (n=2) |" in text


def test_a_limit_that_a_sweep_has_no_costs_for_is_refused(root):
    sweep = swept(root)
    searched(root, (0, 1), {"resource": "latency", "limit": 3})
    with pytest.raises(RequestError, match="a limit on latency cannot be judged by a sweep"):
        compare([str(root)], regret=str(sweep), format="markdown")


def test_the_command_line_shows_it(root, capsys):
    sweep = swept(root)
    searched(root, (1, 0), WITHIN)
    assert cli.run(["compare", str(root), f"regret={sweep}"]) == 0
    assert "Regret to the sweep" in capsys.readouterr().out
    assert cli.run(["compare", str(root), f"regret={sweep}", "format=html"]) == 2
