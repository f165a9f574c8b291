"""Outcomes of repeated searches under a limit, worked out by hand, and the published table beside them."""

import json

import fabricate
import pytest
import yaml

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.report.command import compare

ASKED = {"outcomes": "macs", "by": None, "format": "markdown", "plot": None, "overwrite": False}


def replica(macs, error, limit=75e6, best=False, policy=None):
    line = {"macs": macs, "params": macs / 100, "metrics": {"error": error}, "margin": limit - macs, "best_found": best}
    return line | ({} if policy is None else {"policy": policy})


def repeated(root, signature, lines, label="TabNAS", samples=5, space="nats_size", limit=75e6):
    folder = fabricate.search(
        root, signature=signature, label=label, choices={"space": space, "dataset": "cifar100"}, repeats=len(lines)
    )
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {"constraint": {"resource": "macs", "limit": limit}, "strategy": {"samples": samples}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "replicas.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def cells(text):
    lines = [line.strip("| ").split(" | ") for line in text.split("\n\n")[1].splitlines()]
    return [dict(zip(lines[0], row, strict=False)) for row in lines[2:]]


def test_costs_are_of_all_and_errors_of_what_is_within(root):
    policy = {"mode_feasible": True, "feasible_mass": 0.25}
    lines = [
        replica(70e6, 30.0, best=True, policy=policy),
        replica(74e6, 34.0, policy=policy | {"mode_feasible": False}),
        replica(90e6, 1.0, policy=policy),
    ]
    repeated(root, "a" * 8, lines)
    (row,) = cells(compare([str(root)], **ASKED))
    assert row["macs, mean ± std"] == "78.0 M ± 10.6 M" and row["median"] == "74.0 M"
    assert row["over the limit"] == "1 of 3" and row["error (%)"] == "32.00 ± 2.83 (n=2)"
    assert (row["best found (%)"], row["mode within (%)"], row["P(V)"]) == (
        "33 [1, 91]", "67 [9, 99]", "0.25 ± 0.00 (n=3)",
    )  # fmt: skip


def test_the_regret_is_the_mean_of_what_is_within(root):
    lines = [replica(70e6, 30.0) | {"regret": 0.01}, replica(71e6, 30.0) | {"regret": 0.0}]
    repeated(root, "a" * 8, [*lines, replica(90e6, 1.0) | {"regret": None}])
    (row,) = cells(compare([str(root)], **ASKED))
    assert row["regret"] == "0.0050 ± 0.0071 (n=2)"


def test_the_published_table_stands_beside_searches_of_the_size_space_alone(root):
    repeated(root, "a" * 8, [replica(70e6, 30.0)])
    text = compare([str(root)], **ASKED)
    assert "| rejection N=200, lr 0.1 | 74.6 M ± 0.3 M | 74.7 M | 42.5 ± 1.4 |" in text
    assert text.count("| abs beta=") == 20
    other = root / "other"
    repeated(other, "b" * 8, [replica(70e6, 30.0)], space="nasbench201")
    assert "Published" not in compare([str(other)], **ASKED)


def test_rows_are_ordered_by_a_setting(root):
    for i, samples in enumerate((10, 2, 1)):
        repeated(root, f"{i}" * 8, [replica(70e6, 30.0)], samples=samples, label="same")
    found = cells(compare([str(root)], **ASKED | {"by": "strategy.samples"}))
    assert [row["strategy.samples"] for row in found] == ["1", "2", "10"]


def test_limits_of_their_own_are_shown(root):
    repeated(root, "a" * 8, [replica(70e6, 30.0, limit=80e6)], limit=80e6)
    repeated(root, "b" * 8, [replica(70e6, 30.0, limit=60e6)], limit=60e6)
    assert [row["limit"] for row in cells(compare([str(root)], **ASKED))] == ["60.00 M", "80.00 M"]


@pytest.mark.parametrize(
    "constraint, shown",
    [
        ({"resource": "params", "limit": 41153}, None),
        ({"limits": {"params": 41153, "macs": 80e6}}, "80.00 M"),
        ({}, None),
    ],
)
def test_a_limit_on_another_resource_is_not_shown(root, constraint, shown):
    folder = repeated(root, "a" * 8, [replica(70e6, 30.0)])
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(config | {"constraint": constraint}))
    (row,) = cells(compare([str(root)], **ASKED))
    assert row.get("limit") == shown and ("over the limit" in row) == (shown is not None)


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"outcomes": "seconds"},
            "outcomes=seconds: .* does not record it of all replicas; name one of error, params, macs",
        ),
        ({"by": "strategy.speed"}, "by=strategy.speed: .* has no such setting"),
        ({"format": "html"}, "format: unknown 'html'"),
        ({"plot": "x.gif"}, "a file ending in .gif cannot be drawn"),
    ],
)
def test_what_cannot_be_shown_is_refused(root, changes, message):
    repeated(root, "a" * 8, [replica(70e6, 30.0)])
    with pytest.raises(RequestError, match=message):
        compare([str(root)], **ASKED | changes)


def test_a_resource_of_the_users_own_is_read_from_the_costs(root):
    lines = [replica(70e6, 30.0) | {"costs": {"energy_mj": cost}} for cost in (2.5, 3.5)]
    folder = repeated(root, "a" * 8, lines)
    config = yaml.safe_load((folder / "config.yaml").read_text()) | {"constraint": {"limits": {"energy_mj": 3.25}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (row,) = cells(compare([str(root)], **ASKED | {"outcomes": "energy_mj"}))
    assert (row["energy_mj, mean ± std"], row["limit"]) == ("3 ± 0.7071", "3.25")


def test_runs_that_repeat_nothing_are_refused(root):
    fabricate.search(root)
    with pytest.raises(RequestError, match="none of these runs is a finished repeated search"):
        compare([str(root)], **ASKED)


@pytest.mark.parametrize("by", [None, "strategy.samples"])
def test_outcomes_can_be_drawn(root, by, tmp_path):
    pytest.importorskip("matplotlib")
    for i in (1, 2):
        repeated(root, f"{i}" * 8, [replica(70e6, 30.0), replica(90e6, 3.0)], samples=i)
    file = tmp_path / "outcomes.png"
    compare([str(root)], **ASKED | {"by": by, "plot": str(file)})
    assert file.stat().st_size > 5000
    with pytest.raises(RequestError, match="exists already"):
        compare([str(root)], **ASKED | {"plot": str(file)})


def test_the_command_line_shows_them(root, capsys):
    repeated(root, "a" * 8, [replica(70e6, 30.0)])
    assert cli.run(["compare", str(root), "outcomes=macs", "by=strategy.samples"]) == 0
    assert "Outcomes in macs" in capsys.readouterr().out
