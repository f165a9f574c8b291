"""Likeness: what parts rows, what does not, and what stands beside them; each named example with its right value."""

import csv
import io
import itertools
import json
import random
import shutil

import pytest
import yaml
from fabricate import CHOICES, CPU, GPU, genotype, retrain, search

from nasctl.errors import RequestError
from nasctl.report._read.likeness import canonical_hash, equal_work, fields, groups, leaves, limits
from nasctl.report._read.record import finite, read
from nasctl.report.command import compare

LIMIT = {"_target_": "nasctl.constraint.limit.Limit", "resource": "params"}


def change(folder, **parts):
    """Replace parts of a run's config.yaml, environment.json or result.json, by the names of these files."""
    for name, part in parts.items():
        path = folder / {"config": "config.yaml", "environment": "environment.json", "result": "result.json"}[name]
        content = yaml.safe_load(path.read_text()) | part
        path.write_text(yaml.safe_dump(content) if name == "config" else json.dumps(content))
    return folder


def architecture(folder, content, family="darts"):
    (folder / "architecture.json").write_text(json.dumps({"family": family, "genotype": content, "arch": None}))
    return folder


def rows_of(content):
    return {row["method"]: row["error"] for row in content["methods"]}


def file_source(name="net.json", content=None, kind="file"):
    return genotype(name, kind=kind)


# what parts rows


def test_two_networks_from_one_edited_file_are_two_architectures(root, compared):
    for seed, (content, error) in enumerate([({"normal": [["skip_connect", 0]]}, 2.0), ({"normal": []}, 4.0)]):
        architecture(retrain(root, seed=seed, error=error, source=file_source()), content)
    rows = compared()["methods"]
    assert sorted(row["error"]["mean"] for row in rows) == [2.0, 4.0] and {row["error"]["n"] for row in rows} == {1}
    contents = [{"family": "darts", "genotype": g} for g in ({"normal": [["skip_connect", 0]]}, {"normal": []})]
    assert sorted(rows_of(compared())) == sorted(f"net.json, genotype {canonical_hash(c)[:6]}" for c in contents)
    text = compare([str(root)], width=1000)
    assert "net.json: one architecture" not in text and "): one architecture each, n counts its retrain seeds" in text


@pytest.mark.parametrize(
    "first, second, rows",
    [
        (("a.json", {"n": 1, "m": 2}), ("a.json", {"m": 2, "n": 1}), 1),  # the order of keys is none of the content
        (("a.json", {"n": 1}), ("b.json", {"n": 1}), 1),  # nor is the name
        (("a.json", {"n": 1}), ("a.json", {"n": 2}), 2),
        (("a.json", {"n": [1, 2]}), ("a.json", {"n": [2, 1]}), 2),
        (("x/a.json", {"n": 1}), ("y/a.json", {"n": 2}), 2),
        (("a.json", {"n": 1}), ("a.json", None), 1),  # an older run, of a name with one content
        (("a.json", {"n": 1}), ("b.json", None), 2),
        (("a.json", None), ("a.json", None), 1),
        (("a.json", None), ("b.json", None), 2),
    ],
)  # fmt: skip
def test_the_content_of_a_genotype_decides(root, compared, first, second, rows):
    for seed, (name, content) in enumerate((first, second)):
        folder = retrain(root, seed=seed, source=file_source(name))
        if content is not None:
            architecture(folder, content)
    assert len(compared()["methods"]) == rows


def test_equal_genotypes_of_two_families_are_two_architectures(root, compared):
    for seed, family in enumerate(("darts", "enas_micro")):
        architecture(retrain(root, seed=seed, source=file_source()), {"n": 1}, family)
    assert len(compared()["methods"]) == 2


def test_an_unrecorded_genotype_joins_neither_of_two_networks_of_its_name(root, compared):
    for seed, content in enumerate(({"n": 1}, {"n": 2})):
        architecture(retrain(root, seed=seed, source=file_source()), content)
    retrain(root, seed=2, source=file_source())
    labels = sorted(rows_of(compared()))
    assert len(labels) == 3 and labels[-1] == "net.json, genotype not recorded"


def test_one_genotype_under_two_names_says_so(root, compared):
    for seed, name in enumerate(("a.json", "b.json")):
        architecture(retrain(root, seed=seed, source=file_source(name)), {"n": 1})
    [row] = compared()["methods"]
    assert row["error"]["n"] == 2 and row["beside"] == ["one genotype under 2 names (a.json; b.json)"]


PARTING = {
    "limit": ({"config": {"constraint": LIMIT | {"limit": 3000}}}, {"config": {"constraint": LIMIT | {"limit": 1e6}}}),
    "no limit": ({"config": {"constraint": {}}}, {"config": {"constraint": LIMIT | {"limit": 3000}}}),
    "limits": (
        {"config": {"constraint": {"limits": {"params": 3000, "macs": 5}}}},
        {"config": {"constraint": {"limits": {"params": 3000, "macs": 6}}}},
    ),
    "data": ({"environment": {"data": {"data": "aaaaaaaa"}}}, {"environment": {"data": {"data": "bbbbbbbb"}}}),
    "table": ({"environment": {"data": {"table": "aaaaaaaa"}}}, {"environment": {"data": {"table": "bbbbbbbb"}}}),
    "vocabulary": (
        {"environment": {"data": {"train": "aa", "vocabulary": "bb"}}},
        {"environment": {"data": {"train": "aa", "vocabulary": "cc"}}},
    ),
    "device type": ({"result": {"device": CPU}}, {"result": {"device": GPU}}),
    "split seed": ({"config": {"dataset": {"split_seed": 1}}}, {"config": {"dataset": {"split_seed": 2}}}),
    "rows": ({"config": {"dataset": {"limit_train": None}}}, {"config": {"dataset": {"limit_train": 64}}}),
    "layers": ({"config": {"space": {"final": {"layers": 8}}}}, {"config": {"space": {"final": {"layers": 20}}}}),
    "nodes": ({"config": {"space": {"nodes": 2}}}, {"config": {"space": {"nodes": 4}}}),
    "own class": ({"config": {"space": {"_target_": "a.Space"}}}, {"config": {"space": {"_target_": "b.Space"}}}),
}


@pytest.mark.parametrize("case", PARTING)
@pytest.mark.parametrize("make", [search, retrain])
def test_what_parts_rows(root, compared, make, case):
    for seed, parts in enumerate(PARTING[case]):
        folder = make(root, seed=seed)
        change(folder, **parts)
    rows = compared()["methods"]
    figures = [row["error"] or row["estimate"] for row in rows]
    assert len(rows) == 2 and [figure["n"] for figure in figures] == [1, 1]
    assert len({row["method"] for row in rows}) == 2


TRAINER = {"lr": 0.1, "compile": False, "channels_last": True}


@pytest.mark.parametrize("group, old, new", [("trainer", {"lr": 0.1}, {"lr": 0.2}), ("trainer", TRAINER, {"lr": 0.2})])
def test_trainers_of_one_name_and_unlike_settings_are_two_recipes(root, compared, group, old, new):
    for seed, node in enumerate((old, new)):  # as from two --config-dir, where the recipe's hash was not recorded
        change(retrain(root, seed=seed), config={group: node})
    assert sorted(rows_of(compared())) == ["darts, trainer.lr=0.1", "darts, trainer.lr=0.2"]


UNPARTING = {
    "places": ({"config": {"dataset": {"root": "a"}}}, {"config": {"dataset": {"root": "b", "workers": 9}}}),
    "3000 and 3e3": (PARTING["limit"][0], {"config": {"constraint": LIMIT | {"limit": 3e3}}}),
    "the split of a seed": (
        {"environment": {"data": {"data": "aa", "train_indices": "bb"}}},
        {"environment": {"data": {"data": "aa", "train_indices": "cc"}}},
    ),
    "commit": ({"environment": {"git": {"commit": "a" * 40}}}, {"environment": {"git": {"commit": "b" * 40}}}),
    "threads": ({"environment": {"threads": 1}}, {"environment": {"threads": 64}}),
    "device model": ({"result": {"device": CPU}}, {"result": {"device": CPU | {"name": "Epyc, 64 threads"}}}),
    "version": (
        {"environment": {"versions": {"torch": "2.3", "python": "3.12"}}},
        {"environment": {"versions": {"torch": "2.4", "python": "3.12"}}},
    ),
    "speed": ({"config": {"trainer": {"compile": False}}}, {"config": {"trainer": {"compile": True}}}),
    "unknown data": ({"environment": {"data": {"data": "aa"}}}, {"environment": {}}),
    "unknown limit": (PARTING["limit"][0], {"config": {}}),
}  # fmt: skip
BESIDE = {
    "commit": "made by 2 commits (aaaaaaaaaa; bbbbbbbbbb)",
    "threads": "made by 2 thread counts (1; 64)",
    "device model": "made by 2 devices (Epyc; Xeon)",
    "version": "made by 2 versions of torch (2.3; 2.4)",
    "speed": "made by 2 values of compile (False; True)",
}


@pytest.mark.parametrize("case", UNPARTING)
def test_what_does_not_part_rows_is_named_beside_them(root, compared, case):
    for seed, parts in enumerate(UNPARTING[case]):
        change(retrain(root, seed=seed, search_seed=seed, device=CPU), **parts)
    [row] = compared()["methods"]
    assert row["error"]["n"] == 2 and row["beside"] == ([BESIDE[case]] if case in BESIDE else [])
    text = compare([str(root)], width=1000)
    assert case not in BESIDE or f"darts: {BESIDE[case]}." in text


def test_rows_that_different_commits_made_say_so(root):
    for signature, commit in (("aaaa", "1" * 40), ("bbbb", "2" * 40)):
        search(root, signature=signature, choices={"strategy": signature})
        [folder] = (root / "search" / "x").glob(f"{signature}*")
        change(folder, environment={"git": {"commit": commit, "diff": "x" if commit[0] == "2" else ""}})
    text = compare([str(root)], width=1000)
    assert "Rows were made by 2 commits: aaaa 1111111111; bbbb 2222222222 with uncommitted changes." in text


def test_searches_on_two_data_sets_of_one_name_are_two_rows_once_retrained(root, compared):
    for seed, data in enumerate(("aaaaaaaa", "bbbbbbbb")):
        retrain(root, search_seed=seed, source={"data": {"data": data}})
    assert sorted(rows_of(compared())) == ["darts, searched on data aaaaaa", "darts, searched on data bbbbbb"]


def test_searches_under_two_limits_are_two_rows_once_retrained(root, compared):
    for seed, limit in enumerate((3000, 1e6)):
        retrain(root, search_seed=seed, source={"constraint": LIMIT | {"limit": limit}})
    labels = ["darts, limit params 1,000,000", "darts, limit params 3,000"]
    assert sorted(rows_of(compared())) == labels
    assert sorted(row["limit"] for row in compared()["methods"]) == ["params 1,000,000", "params 3,000"]


@pytest.mark.parametrize("works, rows", [((1000, 1009), 1), ((1000, 1011), 2), ((1000, 1690), 2), ((1000, None), 1)])
def test_works_given_to_a_method_are_equal_within_one_percent(root, compared, works, rows):
    for seed, work in enumerate(works):
        budget = {"budget": {"work": work}, "method": "mmmm"}
        search(root, seed=seed, signature=f"aaa{seed}", **budget)
        retrain(
            root, search_seed=seed, source={"signature": f"bbb{seed}", "method": "nnnn", "budget": budget["budget"]}
        )
    content = compared()["methods"]
    assert len(content) == 2 * rows
    if rows == 2:
        assert f"darts, work {works[1] / 1000:.2f}e3" in rows_of(compared())


def test_works_that_follow_from_trials_part_nothing_and_are_named(root, compared):
    for seed, work in enumerate((1000, 1690)):
        retrain(root, search_seed=seed, source={"work": {"search": work, "selection": 0}})
    [row] = compared()["methods"]
    assert row["error"]["n"] == 2 and row["beside"] == ["searches of 1.00e3 to 1.69e3 multiply-accumulates"]


def test_the_edge_of_equal_work():
    assert equal_work(1000, 1010) and equal_work(1010, 1000) and not equal_work(1000, 1011)
    assert equal_work(1e15, 1.009e15) and not equal_work(1e15, 1.011e15) and not equal_work(5, 0)


def test_limits_are_written_with_their_resource():
    assert limits({"limits": {"params": 3e3, "macs": 2.5}}) == "macs 2.5, params 3,000"
    assert (limits({}), limits(None)) == ("", None)


def test_rows_do_not_depend_on_the_order_or_the_place_of_the_runs(root):
    draw = random.Random(0)
    for seed in range(24):
        data = {"environment": {"data": {"data": draw.choice("ab")} if draw.random() < 0.8 else {}}}
        limit = {"config": {"constraint": LIMIT | {"limit": draw.choice((1, 2))}}} if draw.random() < 0.8 else {}
        change(search(root, seed=seed), **data, **limit)
    runs = [read(path.parent) for path in sorted(root.rglob("status.json"))]
    found = {frozenset(run.path.name for run in group) for group in groups(runs)}
    for _ in range(10):
        draw.shuffle(runs)
        assert {frozenset(run.path.name for run in group) for group in groups(runs)} == found
    for group in groups(runs):
        for a, b in itertools.combinations(map(fields, group), 2):
            assert not [name for name in a if name in b and a[name] != b[name]]


# the same seed twice


@pytest.mark.parametrize("make", [search, retrain])
def test_a_seed_twice_with_one_result_counts_once(root, compared, make):
    folder = make(root, seed=0, error=3.0)
    make(root, seed=1, **({} if make is search else {"search_seed": 1}), error=5.0)
    shutil.copytree(folder, root / "copy")
    [row] = compared()["methods"]
    figure = row["error"] or row["estimate"]
    assert (figure["mean"], figure["n"]) == (4.0, 2) and len(row["counted_once"]) == 1 and row["faults"] == []
    assert "1 run with the seed and result of another counts once" in compare([str(root)], width=1000)


def test_a_retrain_seed_given_twice_does_not_weigh_twice(root, compared):
    folder = retrain(root, search_seed=0, seed=0, error=2.0)
    retrain(root, search_seed=0, seed=1, error=5.0)
    shutil.copytree(folder, root / "copy")
    assert compared()["methods"][0]["error"]["mean"] == 3.5


@pytest.mark.parametrize("make", [search, retrain])
def test_a_seed_twice_with_unlike_results_is_a_fault_and_not_averaged(root, compared, make):
    folder = make(root, seed=0, error=3.0)
    make(root, seed=1, **({} if make is search else {"search_seed": 1}), error=5.0)
    shutil.copytree(folder, root / "again")
    change(root / "again", result={"error": 4.0}, environment={"threads": 64})
    change(folder, environment={"threads": 1})
    [row] = compared()["methods"]
    figure = row["error"] or row["estimate"]
    assert (figure["mean"], figure["n"]) == (5.0, 1)
    [fault] = row["faults"]
    assert "seed 0" in fault and "3 in " in fault and "4 in " in fault and "thread count (1, 64)" in fault
    assert fault in compare([str(root)], width=1000)


@pytest.mark.parametrize(
    "other",
    [{"params": 1}, {"macs": 1}, {"feasible": True}, {"metrics": {"loss": 0.2}}, {"error": 3.0001}],
    ids=["params", "macs", "feasible", "metric", "error"],
)
def test_what_makes_results_unlike(root, compared, other):
    folder = retrain(root, feasible=False, metrics={"loss": 0.1})
    shutil.copytree(folder, root / "again")
    change(root / "again", result=other)
    [row] = compared()["methods"]
    assert row["error"] is None and len(row["faults"]) == 1
    text = compare([str(root)], format="markdown", published="none")
    assert "| darts | fault |" in text


def test_unlike_architectures_of_one_seed_are_unlike_results(root, compared):
    folder = architecture(search(root), {"n": 1})
    shutil.copytree(folder, root / "again")
    architecture(root / "again", {"n": 2})
    assert len(compared()["methods"][0]["faults"]) == 1


def test_clocks_and_costs_are_no_results(root, compared):
    folder = retrain(root, metrics={"latency": 1.0, "loss": 0.1})
    shutil.copytree(folder, root / "again")
    change(root / "again", result={"cost": {"retrain": 9.0}, "metrics": {"latency": 2.0, "loss": 0.1}})
    assert compared()["methods"][0]["faults"] == []


def test_two_unlike_searches_of_a_seed_are_named_beside_what_was_retrained_of_one(root, compared):
    folder = search(root, error=3.0)
    shutil.copytree(folder, root / "again")
    change(root / "again", result={"error": 4.0})
    retrain(root)
    [row] = compared()["methods"]
    assert row["error"]["mean"] == 3.0 and "seed 0 was run 2 times" in row["faults"][0]


def test_replicas_that_two_runs_share_count_once(root, compared):
    for first in (0, 1):
        folder = search(root, seed=first, repeats=2)
        line = {"params": 1, "macs": 1, "margin": None, "best_found": None, "curve": [], "arch": [0]}
        replicas = [line | {"seed": first + i, "metrics": {"error": 10.0 + first + i}} for i in range(2)]
        (folder / "replicas.jsonl").write_text("".join(json.dumps(each) + "\n" for each in replicas))
    [row] = compared()["methods"]
    assert row["estimate"]["n"] == 3 and row["estimate"]["mean"] == pytest.approx(11.0)


# the views


def swept(root, data, loss, seed=0, signature="aaaa", **parts):
    line = {"index": 0, "arch": [0], "relaxed": False, "reward": 0.0, "error": None}
    trials = tuple(line | {"arch": [i], "metrics": {"params": 10 * (i + 1), "loss": loss - 0.1 * i}} for i in range(2))
    folder = search(root, signature=signature, seed=seed, trials=trials, space_size=2)
    change(folder, config={"reward": {"name": "loss"}}, environment={"data": {"data": data}})
    return change(folder, **parts)


ASKED = {"pareto": "params", "format": "markdown", "plot": None, "overwrite": False}


def test_two_data_sets_have_a_front_each(root):
    swept(root, "aaaaaaaa", 0.9)
    swept(root, "bbbbbbbb", 0.5, seed=1)
    text = compare([str(root)], **ASKED)
    assert "**loss against params (data aaaaaa)**" in text and "**loss against params (data bbbbbb)**" in text
    assert text.count("2 of 2 architectures are on the front") == 2 and "is the mean of" not in text


@pytest.mark.parametrize(
    "other",
    [
        {"config": {"dataset": {"rows": 9}}},
        {"config": {"estimator": {"epochs": 9}}},
        {"result": {"error_kind": "table (test)"}},
        {"config": {"choices": CHOICES | {"dataset": "digits"}}},
        {"config": {"estimator": {"trainer": {"lr": 9}}}},
    ],
    ids=["rows", "fidelity", "estimate", "data set", "trainer"],
)
def test_trials_that_were_measured_otherwise_have_a_front_of_their_own(root, other):
    same = {"config": {"dataset": {"rows": 1}, "estimator": {"epochs": 1, "trainer": {"lr": 1}}}}
    swept(root, "aaaaaaaa", 0.9, **same)
    swept(root, "aaaaaaaa", 0.5, signature="bbbb", **other)
    assert compare([str(root)], **ASKED).count("on the front; ") == 2


def test_a_front_counts_a_repeated_run_once(root):
    folder = swept(root, "aaaaaaaa", 0.9)
    shutil.copytree(folder, root / "copy")
    assert "is the mean of" not in compare([str(root)], **ASKED)


def test_the_rule_for_ties_on_a_front_is_stated(root):
    folder = swept(root, "aaaaaaaa", 0.9)
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    lines[1]["metrics"] = lines[0]["metrics"]
    (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = compare([str(root)], **ASKED)
    assert "1 architectures tie with one on the front: of equal cost and value the first by name" in text
    assert "| 0 | 10 |" in text and "| 1 | 10 |" not in text


def test_the_csv_has_what_parts_rows_and_what_stands_beside_them(root):
    for seed, data in enumerate(("aaaaaaaa", "bbbbbbbb")):
        change(retrain(root, seed=seed), environment={"data": {"data": data}})
    rows = [row for row in csv.DictReader(io.StringIO(compare([str(root)], format="csv"))) if row["kind"] == "measured"]
    assert {row["data_data"] for row in rows} == {"aaaaaaaa", "bbbbbbbb"}
    assert {"device_type", "beside", "faults", "cut", "counted_once"} <= rows[0].keys()


def test_the_data_frame_has_a_row_for_each_data_set(root):
    pytest.importorskip("pandas")
    from nasctl import table

    for seed, data in enumerate(("aaaaaaaa", "bbbbbbbb")):
        change(retrain(root, seed=seed), environment={"data": {"data": data}})
    measured = table(str(root))
    assert (measured["kind"] == "measured").sum() == 2


@pytest.mark.parametrize("format", ["table", "markdown", "latex", "json", "csv"])
def test_every_format_names_a_fault(root, format):
    folder = retrain(root, error=3.0)
    shutil.copytree(folder, root / "again")
    change(root / "again", result={"error": 4.0})
    text = " ".join(compare([str(root)], format=format).split())
    assert "with unlike results" in text


def test_a_run_whose_architecture_cannot_be_read_is_of_unknown_content(root, compared):
    folder = retrain(root, source=file_source())
    (folder / "architecture.json").write_text("{")
    assert rows_of(compared()).keys() == {"net.json"}


def test_an_unknown_format_is_refused_before_anything_is_read(root):
    with pytest.raises(RequestError, match="format: unknown"):
        compare([str(root)], format="html")


@pytest.mark.parametrize(
    ("value", "text"), [(3000, "3,000"), (3000.0, "3,000"), (0.1, "0.1"), (10**400, f"{10**400:,}")]
)
def test_a_setting_is_one_text_however_large_it_is(value: float, text: str) -> None:
    assert dict(leaves({"limit": value}, "constraint.")) == {"constraint.limit": text}


@pytest.mark.parametrize("value", [10**400, float("nan"), float("inf"), "12", None])
def test_what_cannot_be_averaged_is_no_figure(value: object) -> None:
    assert finite(value) is None
