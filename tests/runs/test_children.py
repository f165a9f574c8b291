"""The files of children: written whole, read with checks, deleted once neither kept checkpoint needs them."""

import pytest

from nasctl.errors import RequestError
from nasctl.runs.children import Children
from nasctl.runs.reader import DamagedError


@pytest.fixture
def children(tmp_path):
    found = Children(tmp_path)
    for index in range(4):
        found.save(index, {"epochs": index})
    return found


def left(children):
    return sorted(int(path.stem) for path in (children.run / "children").glob("*.pt"))


def test_a_state_comes_back(children):
    assert children.load(2) == {"epochs": 2}


def test_a_state_that_is_not_there_is_one_sentence(children):
    with pytest.raises(RequestError, match=r"names trial 9, whose training state is not in .*children; list it in"):
        children.load(9)


def test_a_damaged_state_names_its_file(children):
    (children.run / "children" / "2.pt").write_bytes(b"x")
    with pytest.raises(DamagedError, match=r"children/2.pt: cannot be read"):
        children.load(2)


def test_a_link_is_not_written_through(children):
    (children.run / "children" / "8.pt").symlink_to(children.run / "elsewhere")
    with pytest.raises(RequestError, match="is a link"):
        children.save(8, {})


def test_a_state_is_deleted_once_neither_the_last_checkpoint_nor_the_one_before_needs_it(children):
    children.checkpointed()
    assert left(children) == [0, 1, 2, 3]  # nobody has said what is needed
    children.retain([0, 1])
    children.checkpointed()
    assert left(children) == [0, 1, 2, 3]  # the checkpoint before may need all
    children.retain([1])
    children.checkpointed()
    assert left(children) == [0, 1]
    children.checkpointed()
    assert left(children) == [1]
