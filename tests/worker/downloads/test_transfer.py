"""Files come whole or not at all, from servers that cut, lie, redirect and ask to wait."""

import hashlib
import os

import pytest

from worker.downloads import parts
from worker.downloads.parts import CannotFetch, NoRoom
from worker.downloads.transfer import NeedsToken, Remote

CONTENT = os.urandom(200_000)
OTHER = os.urandom(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def remote(sites):
    """The file, of which is known what the test wants."""
    sites.repository("me/files", {"a.safetensors": CONTENT})

    def made(**known):
        url = f"{sites.url}/me/files/resolve/main/a.safetensors"
        return Remote(url, **{"bytes": len(CONTENT), "sha256": SHA256} | known)

    return made


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "a.safetensors"


def alone(target):
    assert [one.name for one in target.parent.iterdir()] == [target.name]
    assert target.read_bytes() == CONTENT
    return True


async def test_a_file_comes_over_a_redirect(remote, transfer, target):
    facts = await transfer.file(remote(), target)
    assert (facts.bytes, facts.sha256) == (len(CONTENT), SHA256)
    assert alone(target)


async def test_what_was_cut_off_is_gone_on_with(sites, remote, transfer, target, slept):
    sites.faults.extend([("cut", 60_000), ("cut", 50_000), ("cut", 40_000)])
    await transfer.file(remote(), target)
    assert alone(target)
    ranges = [headers.get("Range") for headers in sites.of_the_store()]
    assert ranges[0] is None
    begins = [int(one.removeprefix("bytes=").rstrip("-")) for one in ranges[1:]]
    assert begins == sorted(begins)
    assert begins[-1] > begins[0] > 0
    assert len(slept) == 3


async def test_the_next_start_goes_on_where_the_last_one_ended(sites, remote, transfer, target):
    sites.faults.extend([("cut", 60_000), *[("cut", 0)] * 3])
    with pytest.raises(CannotFetch, match="kept"):
        await transfer.file(remote(), target)
    assert not target.exists()
    sites.requests.clear()
    await transfer.file(remote(), target)
    assert alone(target)
    [asked] = sites.of_the_store()
    assert int(asked["Range"].removeprefix("bytes=").rstrip("-")) > 0


async def test_trying_without_getting_further_has_an_end(sites, remote, transfer, target, slept):
    sites.faults.extend([("cut", 0)] * 20)
    with pytest.raises(CannotFetch):
        await transfer.file(remote(), target)
    assert len(sites.of_the_store()) == 4
    assert len(slept) == 3


async def test_a_server_that_knows_no_ranges_sends_all_of_it_again(sites, remote, transfer, target):
    sites.faults.extend([("cut", 60_000), ("no ranges",)])
    await transfer.file(remote(), target)
    assert alone(target)


async def test_another_version_is_never_put_together_with_the_first(
    sites, remote, transfer, target
):
    sites.faults.extend([("cut", 60_000), ("changed", OTHER)])
    await transfer.file(remote(sha256=None), target)
    assert target.read_bytes() == OTHER


async def test_without_a_version_all_of_it_is_fetched_again(sites, remote, transfer, target):
    sites.faults.extend([("silent tag",)])
    sites.faults[0] = ("cut", 60_000)
    await transfer.file(remote(), target)
    assert alone(target)


async def test_a_server_that_goes_on_elsewhere_is_not_believed(sites, remote, transfer, target):
    sites.faults.extend([("cut", 60_000), ("elsewhere",)])
    await transfer.file(remote(), target)
    assert alone(target)


@pytest.mark.parametrize("lie", ["short", "long"])
async def test_a_lie_about_the_length_is_found(sites, remote, transfer, target, lie):
    sites.faults.append((lie,))
    await transfer.file(remote(), target)
    assert alone(target)


async def test_more_than_there_should_be_is_not_written(sites, remote, transfer, target):
    sites.faults.append(("more", 5_000_000))
    with pytest.raises(CannotFetch, match="sends more"):
        await transfer.file(remote(), target)
    assert list(target.parent.iterdir()) == []


async def test_what_is_not_what_it_should_be_is_removed(remote, transfer, target):
    with pytest.raises(CannotFetch, match="not what it should be"):
        await transfer.file(remote(sha256="0" * 64), target)
    assert list(target.parent.iterdir()) == []


async def test_a_server_that_asks_to_wait_is_waited_for(sites, remote, transfer, target, slept):
    sites.faults.append(("status", 429, {"Retry_After": "7"}))
    await transfer.file(remote(), target)
    assert alone(target)
    assert slept == [7.0]


async def test_a_server_that_asks_to_wait_for_too_long_is_left(
    sites, remote, transfer, target, slept
):
    sites.faults.append(("status", 429, {"Retry_After": "86400"}))
    with pytest.raises(CannotFetch, match="86400"):
        await transfer.file(remote(), target)
    assert slept == []


async def test_a_slip_of_the_server_is_forgiven(sites, remote, transfer, target):
    sites.faults.extend([("status", 503, {}), ("status", 500, {})])
    await transfer.file(remote(), target)
    assert alone(target)


@pytest.mark.parametrize("status", [404, 410, 451])
async def test_a_refusal_is_final(sites, remote, transfer, target, status):
    sites.faults.append(("status", status, {}))
    with pytest.raises(CannotFetch, match=str(status)):
        await transfer.file(remote(), target)
    assert len(sites.of_the_store()) == 1


async def test_a_page_instead_of_a_file_is_no_file(sites, remote, transfer, target):
    sites.faults.append(("page",))
    with pytest.raises(NeedsToken, match="login"):
        await transfer.file(remote(bytes=None, sha256=None), target)
    assert not target.exists()


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
async def test_a_redirect_to_another_kind_of_address_is_not_followed(
    sites, remote, transfer, target, place
):
    sites.faults.append(("onward", place))
    with pytest.raises(CannotFetch, match="not safe"):
        await transfer.file(remote(), target)


async def test_redirects_have_an_end(sites, remote, transfer, target):
    sites.faults.extend([("onward", "?again")] * 9)
    with pytest.raises(CannotFetch, match="redirects more than"):
        await transfer.file(remote(), target)


async def test_the_token_goes_to_the_site_alone(sites, remote, transfer, target):
    await transfer.file(remote(headers={"Authorization": "Bearer secret"}), target)
    front = [headers for path, headers in sites.requests if not path.startswith("store:")]
    assert front[0]["Authorization"] == "Bearer secret"
    assert all("Authorization" not in headers for headers in sites.of_the_store())


async def test_a_file_that_is_there_is_not_fetched_again(sites, remote, transfer, target):
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    await transfer.file(remote(), target)
    assert sites.requests == []
    target.write_bytes(OTHER)
    await transfer.file(remote(), target)
    assert alone(target)


async def test_the_disk_is_looked_at_first(remote, transfer, target, monkeypatch):
    free = type("Usage", (), {"free": parts.SPARE_BYTES + 1000})
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: free)
    with pytest.raises(NoRoom, match="GiB"):
        await transfer.file(remote(), target)
    assert list(target.parent.iterdir()) == []


async def test_a_length_of_which_nothing_is_known_is_no_trouble(remote, transfer, target):
    await transfer.file(remote(bytes=None, sha256=None), target)
    assert alone(target)
