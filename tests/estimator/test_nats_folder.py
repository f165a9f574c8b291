"""NATS-Bench's files, generated small in the official form, and what is not such a file."""

import bz2
import pickle
import random
import shutil
from collections import OrderedDict

import pytest
import yaml

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Candidate, EstimatorContext, Task
from nasctl.errors import RequestError
from nasctl.walk import every as walk
from tests.small import CPU

SPACE = make(
    yaml.safe_load((conf_dir() / "space" / "nats_size.yaml").read_text()) | {"channels": [8, 16]},
    Task("image_classification", (3, 32, 32), 100),
)
ARCHITECTURES = list(walk(SPACE))
NAMES = [SPACE.format.notation(SPACE.genotype(arch)) for arch in ARCHITECTURES]
SEEDS = {"01": [777], "12": [777, 888], "90": [777]}


def training(draw, epochs, seed, name):
    """Return a training as the benchmark's files hold it."""
    parts = [f"{part}@{epoch}" for part in ("x-valid", "x-test", "ori-test") for epoch in range(epochs)]
    values = [OrderedDict((part, draw.uniform(10, 80)) for part in parts) for _ in range(3)]
    accuracies, losses, times = values
    everywhere = {epoch: draw.uniform(1, 9) for epoch in range(epochs)}
    return {
        **{"name": "infer.shape.tiny", "net_state_dict": None, "arch_config": {"arch_str": name}, "latency": None},
        **{"train_acc1es": everywhere, "train_acc5es": None, "train_losses": everywhere, "train_times": everywhere},
        **{"params": 0.1, "flop": 4.5, "seed": seed, "epochs": epochs},
        **{"eval_names": ["x-valid", "x-test", "ori-test"], "eval_acc1es": accuracies},
        **{"eval_losses": losses, "eval_times": times},
    }


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """Return the folder of a benchmark of 32 architectures, the last of which is missing."""
    folder, draw = tmp_path_factory.mktemp("data") / "NATS-sss-v1_0-50262-simple", random.Random(0)
    folder.mkdir()
    write(folder / "meta", {"meta_archs": NAMES, "total_archs": len(NAMES)})
    for index, name in enumerate(NAMES[:-1]):
        write(folder / f"{index:06d}", OrderedDict((hp, trainings(draw, index, name, hp)) for hp in SEEDS))
    return folder


def trainings(draw, index, name, hp):
    results = {("cifar100", seed): training(draw, int(hp), seed, name) for seed in SEEDS[hp]}
    numbers = {"arch_index": index, "arch_str": name, "dataset_seed": {"cifar100": SEEDS[hp]}, "clear_net_done": True}
    return numbers | {"all_results": results}


def write(path, content):
    path.with_name(path.name + ".pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(content, protocol=4)))


def table(folder, **changes):
    node = yaml.safe_load((conf_dir() / "estimator" / "table.yaml").read_text())
    node |= yaml.safe_load((conf_dir() / "estimator" / "nats_size_table.yaml").read_text())
    del node["defaults"]
    return make(
        node | {"root": str(folder.parent), **changes}, EstimatorContext(SPACE, None, CPU, 0, lambda values: None)
    )


def stored(folder, index, hp, seed):
    content = pickle.loads(bz2.decompress((folder / f"{index:06d}.pickle.pbz2").read_bytes()))
    return content[hp]["all_results"]["cifar100", seed]


def test_the_preset_looks_up_validation_accuracy_and_training_time(benchmark):
    estimator = table(benchmark)
    for index in (0, 11, 30):
        expected = stored(benchmark, index, "90", 777)
        found = estimator.evaluate(Candidate(ARCHITECTURES[index]), 0).metrics
        assert found["accuracy"] == pytest.approx(expected["eval_acc1es"]["x-valid@89"] / 100)
        assert found["simulated_seconds"] == pytest.approx(sum(expected["train_times"].values()))
    assert estimator.error_kind == "table (val)" and len(estimator.fingerprint()["table"]) == 64


def test_several_training_seeds_are_columns(benchmark):
    columns = [f"cifar100/x-test/12/{seed}" for seed in (777, 888)]
    found = table(benchmark, accuracy=columns, seconds=None, split="test").look_up(ARCHITECTURES[5])
    searched, reported = (stored(benchmark, 5, "12", s)["eval_acc1es"]["x-test@11"] / 100 for s in (777, 888))
    assert (found["accuracy"], found["reported_accuracy"]) == pytest.approx((searched, reported))


def test_the_official_package_reads_the_same(benchmark):
    nats_bench = pytest.importorskip("nats_bench")
    api = nats_bench.create(str(benchmark), "size", fast_mode=True, verbose=False)
    estimator = table(benchmark)
    for index in range(len(NAMES) - 1):
        theirs = api.get_more_info(index, "cifar100", hp="90", is_random=False)
        ours = estimator.evaluate(Candidate(ARCHITECTURES[index]), 0).metrics
        assert ours["accuracy"] == pytest.approx(theirs["valid-accuracy"] / 100)
        assert ours["simulated_seconds"] == pytest.approx(theirs["train-all-time"])


def test_an_architecture_without_a_file_is_lacking(benchmark):
    assert not table(benchmark, partial=True).covers(ARCHITECTURES[-1])
    assert table(benchmark, partial=True).covers(ARCHITECTURES[0])
    with pytest.raises(RequestError, match=f"simple: has no row for {NAMES[-1]}"):
        table(benchmark).evaluate(Candidate(ARCHITECTURES[-1]), 0)


@pytest.mark.parametrize("column", ["cifar100/x-valid/90/999", "cifar10/x-valid/90/777", "cifar100/valid/90/777"])
def test_a_training_that_is_not_there_is_named(benchmark, column):
    with pytest.raises(RequestError, match=f"row 3: {NAMES[3]} has no {column}"):
        table(benchmark, accuracy=[column]).evaluate(Candidate(ARCHITECTURES[3]), 0)


@pytest.mark.parametrize("column", ["accuracy", "cifar100/x-valid/90", "cifar100/x-valid/90/seed", "a/b/c/7/7"])
def test_a_column_of_another_form_is_refused_with_an_example(benchmark, column):
    with pytest.raises(RequestError, match=rf"accuracy={column} is not of the form .*cifar100/x-valid/90/777"):
        table(benchmark, accuracy=[column])


class Harmful:
    """What runs a function when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("it ran",)


@pytest.mark.parametrize(
    "content, said",
    [
        (bz2.compress(pickle.dumps({"meta_archs": [Harmful()]})), "it holds .*_Fail, which is no plain value"),
        (bz2.compress(pickle.dumps({"archs": []})), "meta_archs"),
        (bz2.compress(pickle.dumps({"meta_archs": NAMES}))[:60], "ended"),
        (b"no archive", "cannot be read as a file of NATS-Bench"),
    ],
)
def test_a_file_that_is_damaged_or_would_run_something_is_refused(tmp_path, content, said):
    folder = tmp_path / "NATS-sss-v1_0-50262-simple"
    folder.mkdir()
    (folder / "meta.pickle.pbz2").write_bytes(content)
    with pytest.raises(RequestError, match=said) as refused:
        table(folder)
    assert "meta.pickle.pbz2" in str(refused.value) and "unpack the archive again" in str(refused.value)


def test_another_file_of_the_folder_is_another_benchmark(benchmark, tmp_path):
    folder = tmp_path / benchmark.name
    shutil.copytree(benchmark, folder)
    first = table(folder).fingerprint()
    assert first == table(benchmark).fingerprint() and set(first) == {"table", "table_files"}
    other = folder / "000007.pickle.pbz2"
    other.unlink()  # so that the folder's time changes
    write(folder / "000007", OrderedDict((hp, trainings(random.Random(5), 7, NAMES[7], hp)) for hp in ["90"]))
    changed = table(folder).fingerprint()
    assert changed["table"] == first["table"] and changed["table_files"] != first["table_files"]
