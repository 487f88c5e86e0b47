"""The contract as it is written down, and a server of each engine to hold against it."""

import pytest
import pytest_asyncio

import databases as clones
import serving
import shapes


@pytest.fixture(scope="session")
def contract():
    return shapes.load()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=clones.ENGINES)
async def server(request, databases, tmp_path_factory):
    with databases.fresh(request.param) as url:
        async with serving.in_process(url, tmp_path_factory.mktemp("contract")) as server:
            yield server
