"""The app on a fresh database of each engine, or one app for all tests of a module."""

import pytest
import pytest_asyncio

import databases as clones
import serving


@pytest.fixture
def app_on(database_url, tmp_path):
    """Makes an app with settings of the test's own: `async with app_on(rate_limits="on")`."""
    return lambda **settings: serving.in_process(database_url, tmp_path / "data", **settings)


@pytest.fixture
async def server(app_on):
    """An app without rate limits."""
    async with app_on() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=clones.ENGINES)
async def shared(request, databases, tmp_path_factory):
    """An app for all tests of a module, which run in one event loop and share its rows."""
    folder = tmp_path_factory.mktemp("shared")
    with databases.fresh(request.param) as url:
        async with serving.in_process(url, folder) as server:
            yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(databases, tmp_path_factory):
    """An app for what does not depend on the engine, for all tests of a module."""
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path_factory.mktemp("site")) as server:
            yield server


@pytest_asyncio.fixture(loop_scope="module")
async def shop(shared):
    """A worker with a model of its own, on the app that a module's tests share."""
    return await serving.open_shop(shared)
