import httpx
import pytest

from model_sites import TOKEN, Sites
from worker.downloads.civitai import CivitAI
from worker.downloads.hub import Hub
from worker.downloads.plan import Sites as Places
from worker.downloads.transfer import Patience, Transfer


@pytest.fixture
def sites():
    with Sites() as running:
        yield running


@pytest.fixture
def slept():
    """How long was waited, which takes no time here."""
    return []


@pytest.fixture
async def transfer(slept):
    async def sleep(seconds):
        slept.append(seconds)

    async with httpx.AsyncClient() as http:
        yield Transfer(http, Patience(attempts=4, first_seconds=0.01, sleep=sleep))


@pytest.fixture
def places(sites, transfer):
    """Both sites, with a token or without."""

    def made(token=""):
        return Places(Hub(sites.url, token, transfer), CivitAI(sites.url, token, transfer))

    made.token = TOKEN
    return made
