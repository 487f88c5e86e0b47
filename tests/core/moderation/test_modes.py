from datetime import timedelta

from core.db import now
from core.moderation import modes
from core.moderation.modes import CurrentModes, Modes

AT = now()


async def test_a_fresh_horde_is_in_none_of_them(session):
    assert await modes.read(session) == Modes()


async def test_a_switch_is_seen_a_second_later_or_at_once_where_it_was_made(session):
    current = CurrentModes()
    await current.refresh(session, at=AT)
    await modes.switch(session, raid=True, invite_only=True)
    assert not (await current.refresh(session, at=AT + timedelta(milliseconds=900))).raid
    seen = await current.refresh(session, at=AT + timedelta(milliseconds=1100))
    assert seen == Modes(raid=True, invite_only=True)
    await modes.switch(session, raid=False)
    current.forget()
    seen = await current.refresh(session, at=AT + timedelta(milliseconds=1200))
    assert seen == current.current == Modes(invite_only=True)


async def test_the_setting_is_above_the_switch(session):
    current = CurrentModes(anonymous=False)
    assert not current.current.anonymous
    await modes.switch(session, anonymous=True)
    assert not (await current.refresh(session, at=AT)).anonymous
