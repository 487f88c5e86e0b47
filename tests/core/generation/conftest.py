import pytest

import factories


@pytest.fixture
def horde(tmp_path):
    """The parts of a server."""
    return factories.horde(tmp_path)
