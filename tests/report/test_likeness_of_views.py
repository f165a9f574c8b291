"""Pairs, random baselines, regrets, metrics, published rows and differences to a paper: of like runs alone."""

import json
import shutil

import fabricate
import pytest
import yaml
from fabricate import CHOICES, genotype, retrain, search

from nasctl.errors import RequestError
from nasctl.report._read.record import find
from nasctl.report.command import compare
from nasctl.report.view._comparison.comparison import compared

RANDOM = {"strategy": "random_search", "estimator": "from_scratch"}
SECOND = {"table": "C10-DARTS", "method": "DARTS second order + cutout"}
PARAMS = {"resource": "params"}


def change(folder, name, **parts):
    path = folder / name
    content = yaml.safe_load(path.read_text()) | parts
    path.write_text(json.dumps(content) if name.endswith("json") else yaml.safe_dump(content))
    return folder


# pairs at equal work


def made(root, chance, seeds=(0, 1), work=1000, limit=None, data=None, space=None, **result):
    """Write the retrained searches of DARTS, or of random search, alike in all that is not given."""
    choices = CHOICES | (RANDOM if chance else {})
    source = {
        "signature": "rrrr" if chance else "aaaa",
        "choices": choices,
        "budget": {"work": 1000 if chance else None},
    }
    source |= {"work": {"search": work, "selection": 0}, "name": "runs/it"}
    source |= {} if limit is None else {"constraint": PARAMS | {"limit": limit}}
    source |= {} if data is None else {"data": {"data": data}}
    source |= {} if space is None else {"space_settings": space}
    for seed in seeds:
        retrain(root, search_seed=seed, source=source, error=4.0 if chance else 3.0, **result)


def test_methods_under_limits_of_3000_and_a_million_are_no_pair(root, compared):
    made(root, False, limit=3000, work=1000)
    made(root, True, limit=1_000_000, work=1690)
    assert compared()["pairs"] == [] and [row["method"] for row in compared()["missing_baselines"]] == ["darts"]


@pytest.mark.parametrize(
    "ours, theirs, pairs",
    [
        ({"limit": 3000}, {"limit": 3000}, 1),
        ({"limit": 3000}, {"limit": 3e3}, 1),
        ({"limit": 3000}, {"limit": 3001}, 0),
        ({"limit": 3000}, {}, 0),  # one without a limit
        ({"work": 1000}, {"work": 1009}, 1),
        ({"work": 1009}, {"work": 1000}, 1),
        ({"work": 1000}, {"work": 1011}, 0),
        ({"work": 1000}, {"work": 1690}, 0),
        ({"data": "aa"}, {"data": "aa"}, 1),
        ({"space": {"nodes": 4}}, {"space": {"nodes": 4}}, 1),
        ({"space": {"nodes": 4}}, {"space": {"nodes": 2}}, 0),
        ({"device": fabricate.CPU}, {}, 0),
    ],
)
def test_a_pair_is_of_equal_limits_equal_work_and_like_runs(root, compared, ours, theirs, pairs):
    made(root, False, **ours)
    made(root, True, **theirs)
    assert len(compared()["pairs"]) == pairs


def test_a_random_search_of_other_work_is_named_where_a_pair_is_missing(root, compared):
    made(root, False)
    made(root, True, work=1690)
    [row] = compared()["missing_baselines"]
    assert row["near"].startswith("random_search did 1.69e3 (+69.0 %) where the method did 1.00e3")
    assert "equal works differ by 1 % at most" in compare([str(root)], width=1000)


def test_random_searches_that_each_had_the_work_of_one_search_are_one_partner(root, compared):
    works = (800, 1300)
    for seed, work in enumerate(works):
        source = {"work": {"search": work, "selection": 0}, "name": "runs/it"}
        retrain(root, search_seed=seed, error=3.0 + seed, source=source)
        like = {"signature": f"rrr{seed}", "method": "rrrr", "choices": CHOICES | RANDOM, "budget": {"work": work}}
        retrain(root, search_seed=seed, error=4.0 + seed, source=source | like)
    [pair] = compared()["pairs"]
    assert (pair["work"], pair["random_work"], pair["error_difference"]) == (1050, 1050, pytest.approx(-1.0))
    assert compared()["missing_baselines"] == [] and len(compared()["methods"]) == 3


def test_a_pair_says_what_its_work_counts(root):
    made(root, False)
    made(root, True)
    text = compare([str(root)], width=2000)
    assert "a strided skip counts as the 2x2 convolution" in text and "strategy's own controller" in text


# the space as a random baseline


def drawn(root, nodes, errors=(19.0, 21.0), **parts):
    for seed, error in enumerate(errors):
        source = genotype("random", kind="random") | {
            "signature": f"pp{nodes}",
            "seed": seed,
            "choices": {"space": "darts"},
        }
        folder = retrain(root, seed=seed, search_seed=None, source=source, error=error, **parts)
        change(folder, "config.yaml", space={"nodes": nodes})


def improvement(content):
    return {row["method"]: row["relative_improvement"] for row in content["methods"]}["darts"]


@pytest.mark.parametrize("nodes, gain", [(4, 5.0), (2, None)])
def test_a_space_of_two_nodes_is_no_random_baseline_of_one_of_four(root, compared, nodes, gain):
    drawn(root, nodes)
    change(retrain(root, error=16.0), "config.yaml", space={"nodes": 4})
    assert improvement(compared()) == (gain and pytest.approx(gain))


@pytest.mark.parametrize(
    "ours, theirs, fits",
    [
        ({"nodes": 4, "final": {"layers": 8}}, {"nodes": 4, "final": {"layers": 20}}, True),  # of the recipe's hash
        ({"nodes": 4, "operations": ["a", "b"]}, {"nodes": 4, "operations": ["a"]}, False),
        ({"_target_": "a.Space"}, {"_target_": "b.Space"}, False),
        ({}, {"nodes": 4}, True),  # an older record
        ({"nodes": 4}, {"nodes": 4.0}, True),
        ({"nodes": 4, "reduce": True}, {"nodes": 4, "reduce": False}, False),
    ],
)
def test_the_settings_of_a_space_decide_and_not_its_name(root, compared, ours, theirs, fits):
    drawn(root, 4)
    for folder in (root / "retrain" / "x").iterdir():
        change(folder, "config.yaml", space=theirs)
    change(retrain(root, error=16.0), "config.yaml", space=ours)
    assert (improvement(compared()) is not None) == fits


def test_a_search_of_another_space_than_its_retraining_names_is_judged_by_its_own(root, compared):
    drawn(root, 4)
    change(retrain(root, error=16.0, source={"space_settings": {"nodes": 2}}), "config.yaml", space={"nodes": 4})
    assert improvement(compared()) is None


@pytest.mark.parametrize("data, fits", [("aa", True), ("bb", False)])
def test_a_random_baseline_is_of_the_same_data(root, compared, data, fits):
    drawn(root, 4)
    for folder in (root / "retrain" / "x").iterdir():
        change(folder, "environment.json", data={"data": "aa"})
    change(retrain(root, error=16.0), "environment.json", data={"data": data})
    assert (improvement(compared()) is not None) == fits


def trial(percent):
    return {"index": 0, "arch": [0], "reward": 0.0, "metrics": {"error": percent}, "relaxed": False, "error": None}


@pytest.mark.parametrize("parts", [{"data": {"data": "bb"}}, None])
def test_random_architectures_of_two_data_sets_or_limits_are_not_pooled(root, compared, parts):
    for seed, percent in enumerate((10.0, 30.0)):
        folder = search(root, seed=seed, choices=RANDOM, trials=(trial(percent),))
        change(folder, "environment.json", data={"data": "aa"})
        change(folder, "config.yaml", constraint=PARAMS | {"limit": 10 * (seed + 1) if parts is None else 10})
    if parts:
        change(folder, "environment.json", **parts)
    assert sorted(found["error"]["mean"] for found in compared()["random_architectures"]) == [10.0, 30.0]


def test_random_architectures_of_a_seed_given_twice_count_once(root, compared):
    folder = search(root, choices=RANDOM, trials=(trial(10.0), trial(30.0)))
    shutil.copytree(folder, root / "copy")
    assert compared()["random_architectures"][0]["error"]["n"] == 2


# regret


def swept(root, data="aaaa", seed=0, loss=0.9, signature="sweep"):
    line = {"relaxed": False, "reward": 0.0, "error": None}
    losses = {0: loss, 1: 0.5}
    metrics = {i: {"params": 10.0 * (i + 1), "macs": 1.0, "loss": value} for i, value in losses.items()}
    trials = tuple(line | {"index": i, "arch": [i], "metrics": metrics[i]} for i in losses)
    folder = search(root, signature=signature, seed=seed, trials=trials, space_size=2)
    return prepared(folder, data)


def prepared(folder, data):
    (folder / "decisions.json").write_text(json.dumps({"width": ["8", "64"]}))
    change(folder, "environment.json", data=data if isinstance(data, dict) else {"data": data})
    return change(folder, "config.yaml", reward={"name": "loss"})


def found(root, data="aaaa", arch=1, limit=None, **parts):
    folder = prepared(search(root, **{"signature": "found", **parts}), data)
    (folder / "architecture.json").write_text(json.dumps({"arch": [arch]}))
    return change(folder, "config.yaml", constraint={} if limit is None else PARAMS | {"limit": limit})


@pytest.mark.parametrize(
    "data, scored",
    [
        ("aaaa", True),
        ("bbbb", False),
        ({"table": "cccc"}, True),
        ({"data": "aaaa", "val_indices": "x"}, True),
        ({}, True),
    ],
)
def test_a_search_on_other_data_than_the_sweep_is_left_out(root, data, scored):
    sweep = swept(root)
    found(root, data)
    found(root, seed=9, signature="kept")
    text = compare([str(root)], regret=str(sweep), format="markdown")
    assert ("Left out: 1 runs" in text) != scored


@pytest.mark.parametrize("second, reason", [({"data": "bbbb"}, "data data"), ({"signature": "other"}, "other")])
def test_sweeps_of_two_data_sets_have_no_common_mean(root, second, reason):
    swept(root / "sweeps")
    swept(root / "sweeps", **{"seed": 1, **second})
    found(root)
    with pytest.raises(RequestError, match=f"different settings.*{reason}"):
        compare([str(root)], regret=str(root / "sweeps"), format="markdown")


def test_a_sweep_given_twice_counts_once_and_one_with_unlike_results_is_refused(root):
    folder = swept(root / "sweeps")
    shutil.copytree(folder, root / "sweeps" / "copy")
    found(root / "found")
    ask = {"regret": str(root / "sweeps"), "format": "markdown"}
    assert "is the mean of" not in compare([str(root / "found")], **ask)
    change(root / "sweeps" / "copy", "result.json", error=99.0)
    with pytest.raises(RequestError, match="unlike results"):
        compare([str(root / "found")], **ask)


def test_regrets_under_unlike_limits_have_no_difference(root):
    sweep = swept(root)
    for seed in (0, 1, 2):
        found(root, seed=seed, signature="one", limit=100, label="A", arch=seed % 2)
        found(root, seed=seed, signature="two", limit=50, label="B", arch=1)
        found(root, seed=seed, signature="three", limit=50, label="C", arch=seed // 2)
    text = compare([str(root)], regret=str(sweep), format="markdown")
    differences = text.split("Differences of mean regret")[1]
    assert "| B | C |" in differences and "| A |" not in differences
    assert "Architectures of equal value share the better rank." in text


# any metric


@pytest.mark.parametrize(
    "file, parts",
    [
        ("environment.json", {"data": {"data": "bb"}}),
        ("config.yaml", {"constraint": PARAMS | {"limit": 1e6}}),
        ("config.yaml", {"dataset": {"limit_test": 10}}),
        ("config.yaml", {"trainer": {"lr": 9}}),
        ("result.json", {"device": fabricate.CPU}),
    ],
    ids=["data", "limit", "test part", "trainer", "device type"],
)
@pytest.mark.parametrize("unlike", [False, True])
def test_a_metric_is_compared_between_like_methods_alone(root, file, parts, unlike):
    for label in ("A", "B"):
        for seed in (0, 1, 2):
            source = {"signature": label, "label": label}
            told = {"source": source, "metrics": {"auc": 0.7 + 0.1 * seed * (label == "A")}}
            folder = retrain(root, search_seed=seed, **told)
            change(folder, "environment.json", data={"data": "aa"})
            change(
                folder, "config.yaml", constraint=PARAMS | {"limit": 3000}, dataset={"limit_test": 9}, trainer={"lr": 1}
            )
            if unlike and label == "B":
                change(folder, file, **parts)
    assert ("Differences of auc" in compare([str(root)], metric="auc", format="markdown")) != unlike


# outcomes and trajectories


def repeated(root, data, seed=0, dataset="cifar100", **parts):
    folder = search(
        root, seed=seed, choices={"space": "nats_size", "dataset": dataset}, label="TabNAS", repeats=1, **parts
    )
    line = {"macs": 1.0, "params": 1.0, "metrics": {"error": 30.0}, "margin": 1.0, "best_found": None}
    (folder / "replicas.jsonl").write_text(json.dumps(line) + "\n")
    return change(folder, "environment.json", data={"table": data})


OUTCOMES = {"outcomes": "macs", "by": None, "format": "markdown", "plot": None, "overwrite": False}


def test_outcomes_on_two_tables_are_told_apart(root):
    repeated(root, "aaaaaaaa")
    repeated(root, "bbbbbbbb", seed=1)
    text = compare([str(root)], **OUTCOMES)
    assert "| TabNAS, data aaaaaa |" in text and "| TabNAS, data bbbbbb |" in text


def test_outcomes_of_a_seed_given_twice_stand_once_and_unlike_ones_are_a_fault(root):
    folder = repeated(root, "aaaaaaaa")
    shutil.copytree(folder, root / "copy")
    assert compare([str(root)], **OUTCOMES).count("| TabNAS") == 1
    change(root / "copy", "result.json", error=99.0)
    assert "with unlike results" in compare([str(root)], **OUTCOMES)


@pytest.mark.parametrize(
    "dataset, said, shown", [("cifar100", None, True), ("cifar100", "no", False), ("cifar10", None, False)]
)
def test_the_published_outcomes_stand_beside_their_data_alone(root, dataset, said, shown):
    folder = repeated(root, "aaaaaaaa", dataset=dataset)
    if said:
        change(folder, "environment.json", data={"published": said})
    assert ("Published, not measured here" in compare([str(root)], **OUTCOMES)) == shown


def test_a_reward_that_was_a_test_accuracy_is_a_sentence_under_the_table(root):
    repeated(root, "aaaaaaaa", error_kind="table (test)")
    sentence = "the reward of these searches was a test accuracy"
    assert sentence in compare([str(root)], **OUTCOMES)
    search(root / "one", signature="bbbb", error_kind="table (test)")
    assert sentence in compare([str(root / "one")], width=1000)
    retrain(root / "two", source={"error_kind": "table (test)"})
    assert sentence in compare([str(root / "two")], width=1000)
    search(root / "three", error_kind="table (val)")
    assert sentence not in compare([str(root / "three")], width=1000)


def test_trajectories_of_two_limits_are_told_apart_and_repeats_stand_once(root):
    points = [{"turn": 1, "probabilities": {"layer1": {"2": 0.5, "4": 0.5}}}]
    for seed, limit in enumerate((3000, 1e6)):
        folder = search(root, seed=seed, label="TabNAS", trajectory=points)
        change(folder, "config.yaml", constraint=PARAMS | {"limit": limit})
    shutil.copytree(folder, root / "copy")
    text = compare([str(root)], trajectory="layer1", format="markdown", plot=None, overwrite=False)
    assert "| TabNAS, limit params 3,000 |" in text and text.count("| TabNAS") == 2


# the factorial design


def design(root, data=lambda name, seed: "aa", content=lambda name, recipe: name):
    for name in ("A", "B"):
        for recipe in ("plain", "cutout"):
            for seed in (0, 1):
                error = 10.0 + seed + (name == "A") + 2 * (recipe == "plain")
                told = {"seed": seed, "search_seed": None, "recipe": recipe, "error": error}
                folder = retrain(root, source=genotype(f"{name}.json", kind="file"), **told)
                change(folder, "environment.json", data={"data": data(name, seed)})
                text = {"family": "darts", "genotype": {"normal": content(name, recipe)}, "arch": None}
                (folder / "architecture.json").write_text(json.dumps(text))
    return compared(find([root]), "none").factorial


def test_a_design_is_of_one_data_set(root):
    assert design(root) is not None
    assert design(root / "other", data=lambda name, seed: name) is None
    assert design(root / "third", data=lambda name, seed: str(seed)) is None


def test_a_design_crosses_architectures_by_their_content(root):
    assert design(root, content=lambda name, recipe: name + recipe) is None  # four networks, each under one recipe
    found = design(root / "two")
    assert [name.partition(" (")[0] for name in found.architectures] == ["A.json", "B.json"]


# published rows


@pytest.mark.parametrize(
    "said, tables, sentence",
    [
        ("yes", {"PTB-DARTS"}, None),
        ("no", set(), "its data are not the published ptb"),
        (None, {"PTB-DARTS"}, "Whether the data are the published ones is not recorded of: darts."),
    ],
)
def test_published_rows_stand_beside_the_published_data_alone(root, compared, said, tables, sentence):
    folder = search(root, choices={"dataset": "ptb"})
    change(folder, "environment.json", data={"train": "aa"} | ({"published": said} if said else {}))
    assert {row["table"] for row in compared()["published"]} == tables
    text = compare([str(root)], width=1000)
    assert sentence in text if sentence else "published ones" not in text


@pytest.mark.parametrize("dataset", ["cifar10", "ptb"])
def test_a_table_that_is_asked_for_is_shown_with_what_the_rows_are_not(root, compared, dataset):
    folder = search(root, choices={"dataset": dataset})
    change(folder, "environment.json", data={"published": "no"})
    name = {"cifar10": "C10-DARTS", "ptb": "PTB-DARTS"}[dataset]
    assert {row["table"] for row in compared(published=name)["published"]} == {name}
    assert f"its data are not the published {dataset}" in compare([str(root)], published=name, width=1000)


def test_of_published_and_other_data_the_others_are_named(root, compared):
    for seed, said in enumerate(("yes", "no")):
        folder = search(root, seed=seed, choices={"dataset": "ptb"})
        change(folder, "environment.json", data={"train": said, "published": said})
    assert {row["table"] for row in compared()["published"]} == {"PTB-DARTS"}
    assert [remark for remark in compared()["remarks"] if "are not the published ptb" in remark] == [
        "darts, data no: its data are not the published ptb; published rows are of other data."
    ]


def test_a_table_that_a_run_names_needs_the_published_data_too(root, compared):
    folder = retrain(root, published={"table": "C10-ENAS", "method": "ENAS macro"})
    change(folder, "environment.json", data={"published": "no"})
    assert compared()["published"] == []


# the difference to the paper


def experiment(root, error=3.0, overrides=("+experiment=darts_cifar10",), source=None, **config):
    folder = retrain(root, error=error, published=SECOND, overrides=overrides, source=source)
    return change(folder, "config.yaml", **config)


def test_a_smoke_run_has_no_difference_to_the_paper(root, compared):
    experiment(root, error=95.08, cut={"space.final.channels": "+debug=smoke", "trainer.epochs": "+debug=smoke"})
    [row] = compared()["methods"]
    assert row["difference"] is None and row["cut"] == ["+debug=smoke"]
    text = compare([str(root)], width=1000)
    assert (
        "+92.3" not in text
        and "no difference to the paper, since it is not the experiment as published: +debug=smoke" in text
    )


OTHER = "the search outputs/search/x is not of the experiment"
EPOCHS, ROWS = "budget.epochs=1 instead of 50", "dataset.limit_train=64 instead of null"
BOTH = {"search": {"budget.epochs": "a"}, "select": {"selection.epochs": "b", "budget.epochs": "c"}}
CUTS = [
    ({"cut": {}}, []),
    ({"cut": {"trainer.epochs": "trainer.epochs=1 instead of 600"}}, ["trainer.epochs=1 instead of 600"]),
    ({"cut": {"budget.epochs": EPOCHS}}, []),  # a retraining uses no budget
    ({"cut": {"dataset.limit_train": ROWS}}, [ROWS]),
    ({"cut": {"": "no experiment of conf/ was given"}}, ["no experiment of conf/ was given"]),
    ({"source": {"cut": {"search": {"budget.epochs": EPOCHS}}}}, [EPOCHS]),
    ({"source": {"cut": {"search": {"trainer.epochs": "trainer.epochs=1 instead of 600"}}}}, []),
    ({"source": {"cut": BOTH}}, ["a", "b"]),
    ({"source": {"published": {"table": "C10-DARTS", "method": "PNAS"}}}, [OTHER]),
    ({"cut": {"published.method": "published.method=PNAS instead of X"}}, ["published.method=PNAS instead of X"]),
    ({"source": {"published": None}}, [OTHER]),
    ({"source": {"published": SECOND, "cut": {"search": {}}}}, []),
    ({"overrides": ("+experiment=darts_cifar10", "seed=3", "device=cuda:1", "dataset.workers=8", "threads=1")}, []),
    ({"overrides": ("+experiment=darts_cifar10", "+debug=smoke", "seed=3")}, ["+debug=smoke"]),
    ({"overrides": ("+experiment=darts_cifar10", "budget.epochs=1")}, ["budget.epochs=1"]),
    ({"source": genotype("DARTS_V2")}, []),
    ({"source": genotype("DARTS_V1")}, ["from=DARTS_V1"]),
    ({"source": genotype("mine.json", kind="file")}, ["from=mine.json"]),
    ({"source": genotype("random", kind="random")}, ["random architectures"]),
]  # fmt: skip


@pytest.mark.parametrize("given, cut", CUTS)
def test_what_was_cut_of_the_experiment_takes_the_difference_away(root, compared, given, cut):
    experiment(root, **given)
    [row] = compared()["methods"]
    assert row["cut"] == cut and (row["difference"] is None) == bool(cut)
    if not cut:
        assert row["difference"] == pytest.approx(0.24)


@pytest.mark.parametrize(
    "parts, cut",
    [
        ({"data": {"published": "no"}}, ["its data are not the published ones"]),
        ({"data": {"published": "yes"}}, []),
        ({"git": {"commit": "a", "diff": "+++ b/conf/trainer/darts.yaml\n"}}, ["uncommitted changes of conf/"]),
        ({"git": {"commit": "a", "diff": "+++ b/nasctl/search/loop.py\n"}}, []),
    ],
)
def test_other_data_and_a_changed_conf_take_it_away_too(root, compared, parts, cut):
    change(experiment(root), "environment.json", **parts)
    assert compared()["methods"][0]["cut"] == cut


def test_a_row_whose_every_seed_is_a_fault_still_names_its_paper(root, compared):
    folder = experiment(root)
    shutil.copytree(folder, root / "again")
    change(root / "again", "result.json", error=9.0)
    [row] = compared()["methods"]
    assert row["difference"] is None and compared()["published"]


# errors against sizes


@pytest.mark.parametrize("content", [lambda seed: "one", lambda seed: f"net {seed}"])
def test_networks_of_one_name_and_unlike_content_are_two_series(root, content):
    for seed in (0, 1):
        source = genotype("net.json", kind="file")
        folder = retrain(root, seed=seed, source=source, recipe=f"size {seed}", params=1000 * (seed + 1))
        text = {"family": "darts", "genotype": {"normal": content(seed)}, "arch": None}
        (folder / "architecture.json").write_text(json.dumps(text))
    grid = compare([str(root)], x="params", format="markdown", published="none").split("**Error against params**")[1]
    names = {line.split(" | ")[0] for line in grid.splitlines() if line.startswith("| net")}
    assert len(names) == (1 if content(0) == content(1) else 2)


# ties


def test_the_rule_for_ties_stands_under_the_table_where_it_was_needed(root):
    search(root, tied=3)
    text = compare([str(root)], width=1000)
    assert "Of equal rewards the lowest trial index wins" in text and "Searches with such a tie: darts 1." in text
    search(root / "other", signature="bbbb")
    assert "lowest trial index" not in compare([str(root / "other")], width=1000)


# rank correlation


class Scored:
    """A search as `correlate` holds it."""

    def __init__(self, path, signature, seed):
        kept = {"signature": signature, "seed": seed, "label": "DARTS", "choices": CHOICES, "sampler": None}
        self.facts = {"name": str(path), **kept}


def searched(root, signature, seed, data):
    folder = change(search(root, signature=signature, seed=seed), "environment.json", data={"data": data})
    return Scored(folder, signature, seed)


@pytest.mark.parametrize(
    "signatures, data, names",
    [
        ("aa", "xx", ["DARTS", "DARTS"]),
        ("ab", "xx", ["DARTS", "DARTS (b)"]),
        ("aa", "xy", ["DARTS", "DARTS (a)"]),
        ("aab", "xyx", ["DARTS", "DARTS (a)", "DARTS (b)"]),
        ("aaa", "xyz", ["DARTS", "DARTS (a)", "DARTS (a, data z)"]),
    ],
)
def test_searches_on_two_data_sets_are_two_predictors(root, signatures, data, names):
    from nasctl.cli.correlate import labels

    runs = [searched(root, name, seed, of) for seed, (name, of) in enumerate(zip(signatures, data, strict=True))]
    assert labels(runs) == names


def test_one_search_twice_is_refused_by_a_rank_correlation(root):
    from nasctl.cli.correlate import check_seeds

    first, second = searched(root, "a", 0, "x"), searched(root, "a", 1, "x")
    check_seeds([first, second])
    shutil.copytree(first.facts["name"], root / "copy")
    again = Scored(root / "copy", "a", 0)
    with pytest.raises(RequestError, match="are one search with one seed; name one of them"):
        check_seeds([first, second, again])
    change(root / "copy", "result.json", error=99.0)
    with pytest.raises(RequestError, match="with unlike results; name one"):
        check_seeds([first, second, again])
