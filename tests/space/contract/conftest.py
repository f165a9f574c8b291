"""A test of the contract runs for each YAML of conf/space, and is skipped where the space lacks its subject."""

import pytest

from nasctl.core import (
    AdditiveCosts,
    BatchedBuild,
    Builder,
    FixedChoices,
    PathSupernet,
    Relaxation,
    RelaxedCosts,
)
from tests.space.contract.subject import NAMES, subject

CAPABILITIES = {
    "any_space": object,
    "fixed": FixedChoices,
    "builder": Builder,
    "shared": PathSupernet,
    "relaxed": Relaxation,
    "additive": AdditiveCosts,
    "relaxed_costs": RelaxedCosts,
    "batched": BatchedBuild,
}


def pytest_generate_tests(metafunc):
    """Run a test once for every YAML of the group; the name of its argument is the capability that it needs."""
    for capability in CAPABILITIES.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(capability, NAMES, indirect=True)


def _capable(protocol):
    @pytest.fixture
    def capable(request):
        made = subject(request.param)
        if not isinstance(made.space, protocol):
            pytest.skip(f"is no {protocol.__name__}")
        return made

    return capable


for _name, _protocol in CAPABILITIES.items():
    globals()[_name] = _capable(_protocol)


@pytest.fixture
def capabilities():
    """Return the protocols of which every one must be met by some space."""
    return CAPABILITIES
