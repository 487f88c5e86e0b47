"""Addresses that are kept out for a while: after refused prompts, or by a moderator.

A timeout is a row whose key is a network. An address is looked up by the keys of the networks that
contain it (25 for IPv4, 49 for IPv6), so by primary key, however many rows there are. A single IPv6
address stands for its /64, which is what one customer gets.
"""

import ipaddress
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Final, TypeAlias

from sqlalchemy import Boolean, bindparam, case, delete, func, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from core import dialects
from core.columns import Moment
from core.db import Reading, Writing, table
from core.dialects import Insert
from core.errors import Forbidden, Invalid
from core.moderation.tables import AddressTimeout, AddressTimeoutRow

Network: TypeAlias = IPv4Network | IPv6Network

WIDEST = {4: 8, 6: 16}
"""Bits of the widest network that may be blocked: a wider one is a slip of the hand."""
NARROWEST = {4: 32, 6: 64}
"""Bits of the network of one customer."""
MAPPED_BITS = 96
FIRST_MINUTES = 3
OFFENCES_KEPT = timedelta(hours=24)
MAX_OFFENCES = 1000  # more makes no difference, and the counter stays small

_timeouts = table(AddressTimeoutRow)


_UNKNOWN: Final = object()


class TimeoutIP(Forbidden):
    """The address, or a network around it, is kept out at present."""

    code = "TimeoutIP"


class BadAddress(Invalid):
    """The text is neither an address nor a network that may be kept out."""

    code = "BadRequest"


def network_of(text: str) -> Network:
    """The network that an address or a network in CIDR form stands for. Raises BadAddress."""
    try:
        found = _unmapped(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        raise BadAddress(f"'{text[:50]}' is neither an IP address nor a network.") from None
    if found.prefixlen < WIDEST[found.version]:
        raise BadAddress(f"{found} is wider than /{WIDEST[found.version]}.")
    if found.prefixlen > NARROWEST[found.version]:
        return found.supernet(new_prefix=NARROWEST[found.version])
    return found


def _unmapped(network: Network) -> Network:
    """The IPv4 network, if it is one written as IPv6 (`::ffff:192.0.2.7`)."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - MAPPED_BITS))


def caller_of(address: str) -> str:
    """The caller behind an address, for counting limits: an IPv6 host has a whole /64.

    Text that is not an IP address (a Unix socket's peer has none) stands for itself.
    """
    try:
        network = network_of(address.partition("%")[0])
    except BadAddress:
        return address
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address if is_one else network)


async def refuse(session: Reading, address: str, *, at: datetime) -> None:
    """Raise TimeoutIP if the address is kept out. address: an IP address."""
    network, known = network_of(address), session.remembered
    until = known.get(_timeouts.name, network, _UNKNOWN)
    if until is _UNKNOWN:
        moment = known.moment
        until = await session.scalar(_UNTIL, {"keys": _keys_around(network), "at": at})
        known.put(_timeouts.name, network, until, read_at=moment)
    if until is not None and until > at:
        seconds = max(1, round((until - at).total_seconds()))
        raise TimeoutIP(
            f"Your address is in timeout for {seconds} more seconds. Prompts that violate the "
            "terms of service, or a decision of the moderators, lead to this."
        )


_LIVE = _timeouts.c.until > bindparam("at", type_=Moment)
_UNTIL = select(func.max(_timeouts.c.until)).where(
    _timeouts.c.network.in_(bindparam("keys", expanding=True)), _LIVE
)


async def punish(session: Writing, address: str, *, at: datetime) -> int:
    """Keep an address out after a refused prompt. Returns for how many minutes (3, 9, 15 …)."""
    key = str(network_of(address))
    values = {"key": key, "at": at, "long_ago": at - OFFENCES_KEPT}
    offences = await session.scalar(_OFFENCE[session.engine], values)
    minutes = FIRST_MINUTES * (2 * int(offences or 1) - 1)
    until = at + timedelta(minutes=minutes)
    await session.execute(
        update(_timeouts)
        .where(_timeouts.c.network == key, _timeouts.c.until < until)
        .values(until=until)
    )
    return minutes


async def keep_out(session: Writing, network: Network, *, until: datetime, is_block: bool) -> None:
    """Keep a network out until a time, whatever it was before.

    is_block: it is blocked as a range or as a worker's address, and listed among those.
    """
    values = {"key": str(network), "until": until, "is_block": is_block}
    await session.execute(_KEEP_OUT[session.engine], values)


async def let_in(session: Writing, network: Network) -> None:
    """Forget a network's timeout and offences."""
    await session.execute(delete(_timeouts).where(_timeouts.c.network == str(network)))


async def blocks(session: Reading, *, at: datetime) -> list[AddressTimeout]:
    """All blocks in effect, those that end first come first."""
    listed = select(_timeouts).where(_timeouts.c.is_block, _LIVE).order_by(_timeouts.c.until)
    found = await session.execute(listed, {"at": at})
    return [AddressTimeout(**row) for row in found.mappings()]


async def around(session: Reading, network: Network, *, at: datetime) -> list[AddressTimeout]:
    """The timeouts that keep the network out: its own, and those of networks around it."""
    of_them = _timeouts.c.network.in_(_keys_around(network))
    listed = select(_timeouts).where(of_them, _LIVE).order_by(_timeouts.c.until)
    found = await session.execute(listed, {"at": at})
    return [AddressTimeout(**row) for row in found.mappings()]


async def forget(session: Writing, *, at: datetime) -> None:
    """Delete timeouts that neither keep anybody out nor lengthen a next one."""
    harmless = or_(_timeouts.c.offended_at.is_(None), _timeouts.c.offended_at <= at - OFFENCES_KEPT)
    await session.execute(delete(_timeouts).where(_timeouts.c.until <= at, harmless))


def _keys_around(network: Network) -> list[str]:
    """The networks that contain this one, from the widest to itself."""
    bits, version = network.max_prefixlen, network.version
    address = type(network.network_address)
    number = int(network.network_address)
    return [
        f"{address(number >> (bits - length) << (bits - length))}/{length}"
        for length in range(WIDEST[version], network.prefixlen + 1)
    ]


def _offence(insert: Insert) -> ReturningInsert[int]:
    """Count a refused prompt; counting starts over after 24 hours without one."""
    at, long_ago = bindparam("at", type_=Moment), bindparam("long_ago", type_=Moment)
    counted = case(
        (_timeouts.c.offended_at.is_(None), 1),
        (_timeouts.c.offended_at <= long_ago, 1),
        (_timeouts.c.offences >= MAX_OFFENCES, MAX_OFFENCES),
        else_=_timeouts.c.offences + 1,
    )
    first = insert.values(
        network=bindparam("key"), until=at, is_block=False, offences=1, offended_at=at
    )
    return first.on_conflict_do_update(
        index_elements=[_timeouts.c.network], set_={"offences": counted, "offended_at": at}
    ).returning(_timeouts.c.offences)


def _kept_out(insert: Insert) -> Insert:
    until, is_block = bindparam("until", type_=Moment), bindparam("is_block", type_=Boolean)
    first = insert.values(
        network=bindparam("key"), until=until, is_block=is_block, offences=0, offended_at=None
    )
    return first.on_conflict_do_update(
        index_elements=[_timeouts.c.network], set_={"until": until, "is_block": is_block}
    )


_INSERTS = dialects.inserts(_timeouts)
_OFFENCE = {name: _offence(insert) for name, insert in _INSERTS.items()}
_KEEP_OUT = {name: _kept_out(insert) for name, insert in _INSERTS.items()}
