"""A `horde` command with a data folder, a port and a model of the test's own, and a whole town."""

import warnings

import pytest

import tiny_random
import town as towns
from horde_command import Horde


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Folder of a model of random weights."""
    folder = tmp_path_factory.mktemp("models") / "horde-tiny"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the libraries is full of them
        tiny_random.build(folder)
    return folder


@pytest.fixture
def horde(tmp_path, free_port, tiny_model):
    horde = Horde(tmp_path / "data", free_port, tiny_model)
    yield horde
    horde.close()


@pytest.fixture(scope="session")
def town(databases, tmp_path_factory):
    """A server and a light worker that the tests of commands share."""
    with towns.open_town(tmp_path_factory.mktemp("town"), databases) as town:
        yield town
