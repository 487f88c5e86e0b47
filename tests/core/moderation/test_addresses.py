import re
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text

from core.db import now, table
from core.moderation import addresses
from core.moderation.addresses import BadAddress, TimeoutIP, network_of
from core.moderation.tables import AddressTimeoutRow

AT = now()
HERE = "192.0.2.7"


async def is_kept_out(session, address, *, at=AT):
    try:
        await addresses.refuse(session, address, at=at)
    except TimeoutIP:
        return True
    return False


async def block(session, network, *, hours=1, is_block=True):
    until = AT + timedelta(hours=hours)
    await addresses.keep_out(session, network_of(network), until=until, is_block=is_block)


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        (" 192.0.2.7 ", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8::7/128", "2001:db8::/64"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ],
)
def test_what_an_address_stands_for(written, network):
    assert str(network_of(written)) == network


@pytest.mark.parametrize(
    "written",
    ["", "fox", "192.0.2", "192.0.2.7/33", "0.0.0.0/0", "::/0", "10.0.0.0/7", "::ffff:0:0/96"],
)
def test_what_is_none_or_too_wide(written):
    with pytest.raises(BadAddress):
        network_of(written)


async def test_each_refused_prompt_keeps_out_for_longer(session):
    assert not await is_kept_out(session, HERE)
    assert [await addresses.punish(session, HERE, at=AT) for _ in range(4)] == [3, 9, 15, 21]
    assert await is_kept_out(session, HERE, at=AT + timedelta(minutes=20, seconds=59))
    assert not await is_kept_out(session, HERE, at=AT + timedelta(minutes=21))
    assert not await is_kept_out(session, "192.0.2.8")


async def test_counting_begins_anew_a_day_after_the_last(session):
    await addresses.punish(session, HERE, at=AT)
    soon = AT + timedelta(hours=23, minutes=59)
    assert await addresses.punish(session, HERE, at=soon) == 9
    assert await addresses.punish(session, HERE, at=soon + timedelta(hours=24)) == 3


async def test_an_ipv6_address_is_its_network(session):
    await addresses.punish(session, "2001:db8::1", at=AT)
    assert await is_kept_out(session, "2001:db8::ffff:2")
    assert not await is_kept_out(session, "2001:db8:0:1::1")


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
        ("192.0.2.0/25", "192.0.2.127", "192.0.2.128"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ("::ffff:192.0.2.0/121", "192.0.2.127", "192.0.2.128"),
    ],
)
async def test_a_block_holds_for_what_is_in_it(session, network, inside, outside):
    await block(session, network)
    assert await is_kept_out(session, inside)
    assert not await is_kept_out(session, outside)
    assert not await is_kept_out(session, inside, at=AT + timedelta(hours=1))
    await addresses.let_in(session, network_of(network))
    assert not await is_kept_out(session, inside)


async def test_a_punishment_never_shortens_a_block(session):
    await block(session, HERE, hours=24)
    await addresses.punish(session, HERE, at=AT)
    assert await is_kept_out(session, HERE, at=AT + timedelta(hours=23))
    await block(session, HERE, hours=1)  # a moderator's word holds
    assert not await is_kept_out(session, HERE, at=AT + timedelta(hours=2))
    assert await addresses.punish(session, HERE, at=AT) == 9


async def test_what_keeps_an_address_out_and_what_is_blocked(session):
    await addresses.punish(session, HERE, at=AT)
    await block(session, "192.0.2.0/24", hours=2)
    await block(session, "192.0.0.0/16", hours=3)
    await block(session, "198.51.100.9", hours=4, is_block=False)
    around = await addresses.around(session, network_of(HERE), at=AT)
    assert [row.network for row in around] == ["192.0.2.7/32", "192.0.2.0/24", "192.0.0.0/16"]
    assert [row.network for row in await addresses.blocks(session, at=AT)] == [
        "192.0.2.0/24",
        "192.0.0.0/16",
    ]
    later = AT + timedelta(hours=2)
    assert [r.network for r in await addresses.blocks(session, at=later)] == ["192.0.0.0/16"]


async def test_nothing_is_kept_that_matters_no_more(session):
    async def kept():
        return set(await session.scalars(select(table(AddressTimeoutRow).c.network)))

    await addresses.punish(session, HERE, at=AT)
    await block(session, "10.0.0.0/8", hours=30)
    await block(session, "11.0.0.0/8", hours=1)
    await addresses.forget(session, at=AT + timedelta(minutes=59))
    assert await kept() == {"192.0.2.7/32", "10.0.0.0/8", "11.0.0.0/8"}
    await addresses.forget(session, at=AT + timedelta(hours=23, minutes=59))
    assert await kept() == {"192.0.2.7/32", "10.0.0.0/8"}
    await addresses.forget(session, at=AT + timedelta(hours=24))
    assert await kept() == {"10.0.0.0/8"}
    await addresses.forget(session, at=AT + timedelta(hours=30))
    assert await kept() == set()


async def test_a_look_up_reads_no_more_rows_than_there_are_networks_around(session):
    rows = [
        {"network": f"10.{n >> 8}.{n & 255}.0/24", "until": AT + timedelta(days=1), "offences": 0}
        for n in range(20_000)
    ]
    await session.execute(insert(table(AddressTimeoutRow)), [r | {"is_block": True} for r in rows])
    assert (
        await session.scalar(select(func.count()).select_from(table(AddressTimeoutRow))) == 20_000
    )
    await session.execute(text("ANALYZE"))
    assert await is_kept_out(session, "10.1.2.3")
    plan = await explained(session)
    assert re.search(r"using (covering )?index|index (only )?scan", plan, re.IGNORECASE), plan
    assert not re.search(r"seq scan|scan address_timeouts", plan, re.IGNORECASE), plan


async def explained(session):
    """The engine's plan for a look-up, in its own words."""
    dialect = (await session.connection()).dialect
    keys = addresses._keys_around(network_of("10.1.2.3"))
    statement = addresses._UNTIL.params(keys=keys, at=AT)
    compiled = statement.compile(
        dialect=dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    prefix = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    rows = await session.execute(text(f"{prefix} {compiled}".replace(":", r"\:")))
    return "\n".join(" ".join(map(str, row)) for row in rows)


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1%eth0", "2001:db8::/64"),
        ("2001:db8::2", "2001:db8::/64"),
        ("unix", "unix"),
    ],
)
def test_a_caller_is_a_host_or_its_network(address, caller):
    assert addresses.caller_of(address) == caller
