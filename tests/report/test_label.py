"""Rows with equal labels are told apart by what was asked for, else by a hash."""

from fabricate import genotype, retrain, search


def labels(content):
    return sorted(row["method"] for row in content["methods"])


def test_the_overrides_in_which_searches_differ_are_appended(root, compared):
    common = ("strategy=darts", "dataset=cifar10")
    search(root, signature="aaaa", overrides=(*common, "seed=0", "estimator/unroll=exact"))
    search(root, signature="bbbb", overrides=(*common, "seed=1"))
    assert labels(compared()) == ["darts", "darts, estimator/unroll=exact"]


def test_a_retrained_row_uses_the_overrides_of_its_search(root, compared):
    for signature, unroll in (("aaaa", "exact"), ("bbbb", "first_order")):
        search(root, signature=signature, overrides=(f"estimator/unroll={unroll}",))
        retrain(root, source={"signature": signature})
    assert labels(compared()) == ["darts, estimator/unroll=exact", "darts, estimator/unroll=first_order"]


def test_without_the_searches_the_signature_tells_apart(root, compared):
    retrain(root, source={"signature": "aaaa11112222"})
    retrain(root, source={"signature": "bbbb11112222"})
    assert labels(compared()) == ["darts, aaaa11", "darts, bbbb11"]


def test_recipes_of_one_genotype_are_told_apart(root, compared):
    retrain(root, source=genotype(), recipe="aaaa1111", overrides=("trainer.epochs=100", "from=DARTS_V2"))
    retrain(root, source=genotype(), recipe="bbbb1111", overrides=("from=DARTS_V2",))
    assert labels(compared()) == ["DARTS_V2", "DARTS_V2, trainer.epochs=100"]


def test_recipes_that_no_override_explains_are_told_apart_by_hash(root, compared):
    retrain(root, source=genotype(), recipe="aaaa11112222")
    retrain(root, source=genotype(), recipe="bbbb11112222")
    assert labels(compared()) == ["DARTS_V2, aaaa11", "DARTS_V2, bbbb11"]


def test_different_labels_are_left_alone(root, compared):
    search(root, signature="aaaa", overrides=("trainer.epochs=1",))
    search(root, signature="bbbb", choices={"strategy": "random_search"}, overrides=("trainer.epochs=2",))
    assert labels(compared()) == ["darts", "random_search"]
