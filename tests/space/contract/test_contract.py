"""What every space of conf/space promises, by what it can do."""

import json
import math
from itertools import pairwise

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasctl import walk
from nasctl.config.build import make
from nasctl.core import Builder, Candidate, FixedChoices, Relaxation, RelaxedCosts
from nasctl.errors import RequestError
from nasctl.space import _chain, _count
from tests.space.contract.subject import NAMES, TASKS, layers_run, near, one_hot, shuffle_norms, subject

ENUMERABLE = 2_000  # architectures that are walked one by one
BIAS_COUNTED = {"nasbench201", "nats_size"}  # families whose published macs include the classifier's bias


def test_every_capability_has_a_space(capabilities):
    spaces = [subject(name).space for name in NAMES]
    assert all(any(isinstance(space, protocol) for space in spaces) for protocol in capabilities.values())


class TestWalks:
    def test_they_end_in_an_architecture(self, any_space):
        space = any_space.space
        for arch in any_space.sampled(20):
            assert walk.belongs(space, arch) and space.complete(arch)
            for option, decision in zip(arch, walk.decisions(space, arch), strict=True):
                assert option in decision.open_options() and option in range(len(decision.options))

    def test_decisions_of_a_kind_have_equal_options_unless_they_have_inputs(self, any_space):
        kinds = {}
        for arch in any_space.sampled(5):
            for decision in walk.decisions(any_space.space, arch):
                if not decision.inputs:
                    assert kinds.setdefault(decision.kind, decision.options) == decision.options

    def test_names_are_distinct_and_options_plain(self, any_space):
        (arch,) = any_space.sampled(1)
        choices = any_space.space.relaxed_choices if isinstance(any_space.space, Relaxation) else ()
        for named in (walk.decisions(any_space.space, arch), choices):
            assert len({one.name for one in named}) == len(named)
            assert all(len(set(one.options)) == len(one.options) >= 1 for one in named)

    def test_fixed_ones_take_every_decision_with_all_options(self, fixed):
        for arch in fixed.sampled(5):
            for i, decision in enumerate(fixed.space.decisions):
                assert fixed.space.decision(arch[:i]) == decision and not fixed.space.complete(arch[:i])
                assert decision.open is None
            assert len(arch) == len(fixed.space.decisions) and fixed.space.decision(arch) is None

    def test_size_is_their_number(self, any_space):
        space = any_space.space
        if isinstance(space, FixedChoices):
            assert space.size == math.prod(len(decision.options) for decision in space.decisions)
        if space.size is not None and space.size <= ENUMERABLE:
            archs = list(walk.every(space))
            assert len(archs) == len({json.dumps(space.genotype(arch)) for arch in archs}) == space.size

    def test_uniform_ones_take_every_option_equally_often(self, fixed):
        counts = torch.tensor(fixed.sampled(300))
        for taken, decision in zip(counts.T, fixed.space.decisions, strict=True):
            found = torch.bincount(taken, minlength=len(decision.options)).double()
            expected = 300 / len(decision.options)
            assert len(found) == len(decision.options) and ((found - expected).abs() < 6 * expected**0.5).all()


class TestGenotypes:
    def test_they_are_distinct_legal_json_and_survive_their_notation(self, any_space):
        form, archs = any_space.space.format, set(any_space.sampled(20))
        genotypes = [any_space.space.genotype(arch) for arch in archs]
        assert len({json.dumps(genotype) for genotype in genotypes}) == len(archs)
        for genotype in genotypes:
            assert form.check(genotype) == genotype == json.loads(json.dumps(genotype))
            assert form.parse(form.notation(genotype)) == genotype

    def test_the_canonical_form_is_that_of_its_own_notation(self, any_space):
        form = any_space.space.format
        for genotype in any_space.genotypes(10):
            canonical = form.canonical(genotype)
            assert form.canonical(canonical) == canonical == form.canonical(form.parse(form.notation(canonical)))

    def test_features_are_whole_numbers_that_vary_and_skips_are_those_of_the_edges(self, any_space):
        form = any_space.space.format
        found = []
        for genotype in any_space.genotypes(20):
            operations = [name for edges in form.edges(genotype).values() for _, _, name in edges]
            assert operations and all(isinstance(name, str) for name in operations)
            found.append(form.features(genotype))
            skips = operations.count("skip_connect")
            assert found[-1].get("skip_connections", skips) == skips
        assert all(type(value) is int for one in found for value in one.values())
        assert all(len({one[name] for one in found}) > 1 for name in found[0])


class TestBuilds:
    def test_a_network_answers_each_example(self, builder):
        (genotype,) = builder.genotypes(1)
        network = builder.space.build(genotype, "final").eval()
        outputs = builder.run(network)
        examples = builder.inputs().numel() if builder.task.kind == "language" else len(builder.inputs())
        assert outputs.shape == (examples, builder.task.num_outputs)
        near(builder.run(network), outputs)

    @pytest.mark.parametrize("form", ["search", "final"])
    def test_size_replaces_parts_of_a_form(self, builder, form):
        (genotype,) = builder.genotypes(1)
        check_size(builder, lambda **size: builder.space.build(genotype, form, **size))

    def test_another_task_is_refused_in_a_sentence(self, builder):
        for task in TASKS:
            if task.kind != builder.task.kind:
                with pytest.raises(
                    RequestError, match=r"^space=\w+ builds .*, but the data set's task is .*; choose a"
                ):
                    make(builder.node, task)


def check_size(made, build):
    """Demand that a larger number makes a larger network, and that a name with a slip is refused."""

    def weights(**size):
        return _count.params(_count.on_meta(lambda: build(**size)))

    if (name := made.settings()) is None:
        return
    larger = {name: 8} | ({"embedding": 8} if name == "units" and "embedding" in made.node["search"] else {})
    assert weights() < weights(**larger)
    with pytest.raises(RequestError, match=rf"^size: unknown '{name}s*x'; did you mean '{name}'\? choose from "):
        weights(**{f"{name}x": 8})


class TestCosts:
    def test_they_equal_the_count_of_the_network_on_the_meta_device(self, builder):
        space = builder.space
        for genotype in builder.genotypes(2):
            network = _count.on_meta(lambda genotype=genotype: space.build(genotype, "final"))
            counted = _count.costs(network, builder.task)
            bias = builder.task.num_outputs if space.format.family in BIAS_COUNTED else 0
            tables = sum(space.cost(genotype, n) for n in space.count(network) if n == "embedding_params")
            assert space.cost(genotype, "params") == counted["params"] - tables
            assert space.cost(genotype, "macs") == counted["macs"] + bias
            assert {name: space.cost(genotype, name) for name in space.count(network)} == space.count(network)

    def test_they_grow_with_the_final_form(self, builder):
        if "final" in builder.node and (name := builder.settings()):
            larger = {name: 8} | ({"embedding": 8} if name == "units" and "embedding" in builder.node["final"] else {})
            changed = make(builder.node | {"final": builder.node["final"] | larger}, builder.task)
            (genotype,) = builder.genotypes(1)
            for cost in ("params", "macs"):
                assert builder.space.cost(genotype, cost) < changed.cost(genotype, cost)

    def test_additive_ones_are_sums_over_neighbouring_decisions(self, additive):
        for name in additive.space.additive:
            tables = additive.space.chain(name)
            for arch in additive.sampled(20):
                found = additive.space.cost(additive.space.genotype(arch), name)
                assert _chain.total(tables, arch) == found
                if isinstance(additive.space, RelaxedCosts):
                    assert additive.space.relaxed_chain(name) == tables

    def test_relaxed_ones_have_an_entry_for_each_pair_of_options(self, relaxed_costs):
        choices = relaxed_costs.space.relaxed_choices
        for name in relaxed_costs.space.additive:
            tables = relaxed_costs.space.relaxed_chain(name)
            shapes = [(len(table), len(table[0])) for table in tables]
            assert shapes == [(len(a.options), len(b.options)) for a, b in pairwise(choices)]


class TestSharedPaths:
    def test_a_path_equals_its_own_network(self, shared):
        torch.manual_seed(0)
        supernet, outputs = shared.space.supernet().double(), []
        shuffle_norms(supernet)
        for arch in shared.sampled(2, seed=1):
            network = own_network(shared, supernet, arch)
            for training in (False, True):
                ours = shared.mix(supernet.train(training), Candidate(arch))
                near(ours, shared.run(network.train(training)))
            outputs.append(ours)
        assert not torch.allclose(*outputs)

    def test_a_path_costs_only_that_path(self, shared):
        torch.manual_seed(0)
        supernet = shared.space.supernet().double()
        (arch,) = shared.sampled(1, seed=2)
        network = own_network(shared, supernet, arch)
        with torch.no_grad():
            with FlopCounterMode(display=False) as ours:
                path = layers_run(supernet, lambda: shared.mix(supernet, Candidate(arch)))
            with FlopCounterMode(display=False) as theirs:
                alone = layers_run(network, lambda: shared.run(network))
        assert ours.get_total_flops() == theirs.get_total_flops()
        shared_by_readers = path.pop(torch.nn.ReLU, 0), alone.pop(torch.nn.ReLU, 0)  # of a map
        assert path == alone and shared_by_readers[0] <= 2 * shared_by_readers[1]

    def test_size_replaces_parts_of_its_form(self, shared):
        check_size(shared, shared.space.supernet)


def own_network(made, supernet, arch):
    """Return the stand-alone network of ``arch`` with the shared weights."""
    genotype = made.space.genotype(arch)
    network = made.space.build(genotype, "search").double()
    network.load_state_dict(supernet.subnet_state(genotype), strict=True)
    return network


class TestRelaxation:
    def test_derivation_is_legal_and_keeps_the_mixtures_as_they_are(self, relaxed):
        mixtures = relaxed.mixtures(1)
        before = [mixture.detach().clone() for mixture in mixtures]
        assert walk.belongs(relaxed.space, relaxed.space.discretize(mixtures))
        assert all(torch.equal(a, b) for a, b in zip(mixtures, before, strict=True))

    def test_a_mixture_of_one_option_each_is_the_path(self, relaxed):
        torch.manual_seed(0)
        supernet = relaxed.space.supernet().double()
        (arch,) = relaxed.sampled(1, seed=4)
        mixtures = one_hot(relaxed.space, relaxed.space.relaxed_path(arch))
        assert relaxed.space.discretize(mixtures) == arch
        near(relaxed.mix(supernet, Candidate(arch, mixtures)), relaxed.mix(supernet, Candidate(arch)))

    def test_active_options_equal_the_mixture_of_nothing_else(self, relaxed):
        torch.manual_seed(0)
        supernet, mixtures = relaxed.space.supernet().double(), relaxed.mixtures(3)
        active = [(3 * i + 1) % len(mixture) for i, mixture in enumerate(mixtures)]
        alone = [mixture * torch.eye(len(mixture))[k] for mixture, k in zip(mixtures, active, strict=True)]
        (arch,) = relaxed.sampled(1)
        ours, theirs = (relaxed.mix(supernet, Candidate(arch, m, a)) for m, a in ((mixtures, active), (alone, None)))
        near(ours, theirs)
        leaves = [*supernet.parameters(), *mixtures]
        weight = torch.randn(ours.shape, generator=torch.Generator().manual_seed(0), dtype=ours.dtype)
        found, expected = (
            torch.autograd.grad((y * weight).sum(), leaves, allow_unused=True, materialize_grads=True)
            for y in (ours, theirs)
        )
        for mine, other, choice, k in zip(
            found[-len(mixtures) :], expected[-len(mixtures) :], relaxed.space.relaxed_choices, active, strict=True
        ):
            near(mine[k], other[k])
            assert choice.options[k] == "none" or mine[k] != 0 or relaxed.task.kind == "language"

    def test_all_weights_of_a_mixture_get_their_gradient(self, relaxed):
        torch.manual_seed(0)
        supernet, mixtures = relaxed.space.supernet().double(), relaxed.mixtures(0)
        relaxed.mix(supernet, Candidate(relaxed.sampled(1)[0], mixtures)).square().sum().backward()
        assert all(p.grad is not None for p in supernet.parameters())
        for mixture, choice in zip(mixtures, relaxed.space.relaxed_choices, strict=True):
            assert all(g != 0 or name == "none" for g, name in zip(mixture.grad, choice.options, strict=True))


class TestBatchedBuilds:
    def test_a_stack_gives_each_networks_outputs(self, batched):
        assert isinstance(batched.space, Builder)
        torch.manual_seed(0)
        networks = [batched.space.build(genotype, "final").double() for genotype in batched.genotypes(3)]
        stacked = batched.run(batched.space.stack(networks))
        for ours, network in zip(stacked, networks, strict=True):
            near(ours, batched.run(network))
