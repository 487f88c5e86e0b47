from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, update

from core.db import now, table
from core.moderation import filters as stored
from core.moderation import prompts, shipped
from core.moderation.prompts import FORCED_NEGATIVE, CorruptPrompt, Filters, FilterSet, screen
from core.moderation.tables import Filter, FilterRow, FilterVersion

AT = now()


async def loaded(session, *rows):
    """Filters of these (type, regex, replacement) alone."""
    await session.execute(delete(table(FilterRow)))
    for filter_type, regex, replacement in rows:
        await stored.add(
            session,
            regex=regex,
            filter_type=filter_type,
            description=None,
            replacement=replacement,
            user_id=None,
        )
    if not rows:
        await session.execute(update(table(FilterVersion)).values(version=1))
    found = Filters()
    await found.refresh(session, at=AT)
    return found


ZOO = [
    (10, r"\bcub\b", "beast"),
    (11, r"\bden\b", ""),
    (12, r"\btiny\b", ""),
    (20, r"\bbare\b", ""),
]


def of(*rows):
    """Filters of these, without a database."""
    found = Filters()
    found._set = FilterSet.of(
        Filter(
            id=number,
            regex=regex,
            filter_type=kind,
            description=None,
            replacement=text,
            user_id=None,
        )
        for number, (kind, regex, text) in enumerate(rows)
    )
    return found


@pytest.fixture(scope="module")
def zoo():
    """Filters of harmless words."""
    return of(*ZOO)


@pytest.fixture(scope="module")
def ships():
    """The filters that ship."""
    return of(
        *((row["filter_type"], row["regex"], row["replacement"]) for row in shipped._shipped())
    )


# --- which prompts pass ---


@pytest.mark.parametrize(
    "prompt",
    ["a red fox", "a cub", "a bare tree", "a cub ### bare", "a bare tree ### cub", "a bare dent"],
)
def test_a_prompt_that_hits_one_group_at_most_passes_as_it_is(zoo, prompt):
    assert screen(zoo, prompt, rewrite=False) == prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "a bare cub",
        "a BARE, (cub:1.2)",
        "b.a.r.e. c u b",
        "a bare den",
        "a bare \N{BABY}",
        "ba\u200bre cúb",
    ],
)
def test_a_prompt_that_hits_both_is_refused(zoo, prompt):
    with pytest.raises(CorruptPrompt, match="unethical images") as refused:
        screen(zoo, prompt, rewrite=False)
    assert "bare" not in refused.value.message


def test_it_is_rewritten_where_the_requester_lets_it(zoo):
    assert screen(zoo, "A (bare:1.1) cub!", rewrite=True) == f"a bare beast ### {FORCED_NEGATIVE}"
    negative = f"a bare beast ### {FORCED_NEGATIVE}, fog"
    assert screen(zoo, "a bare cub ### fog", rewrite=True) == negative


@pytest.mark.parametrize("prompt", ["a bare cub in a den", "a bare cub" + " x" * 3500])
def test_what_rewriting_does_not_help_is_refused_all_the_same(zoo, prompt):
    with pytest.raises(CorruptPrompt):
        screen(zoo, prompt, rewrite=True)


def test_nothing_left_is_refused():
    zoo = of((10, r"\bbare\b|\bcub\b", ""), (20, r"\bbare\b", ""))
    with pytest.raises(CorruptPrompt):
        screen(zoo, "bare cub", rewrite=True)


def test_a_replacement_is_taken_to_the_letter():
    zoo = of((10, "cub", r"\1 \g<0> \\"), (20, "bare", ""))
    assert screen(zoo, "bare cub", rewrite=True).startswith(r"bare \1 \g<0> \\ ###")


@pytest.mark.parametrize(
    ("prompt", "given"),
    [
        ("a red fox", "a red fox"),
        ("a bare tree!", "a bare tree!"),
        ("a tiny fox", f"a fox ### {FORCED_NEGATIVE}"),
        ("a cub in a den", f"a beast in a ### {FORCED_NEGATIVE}"),
        ("a fox \N{GIRL}", f"a fox ### {FORCED_NEGATIVE}"),
    ],
)
def test_stricter_words_are_replaced_and_never_refused(zoo, prompt, given):
    assert screen(zoo, prompt, rewrite=False, always=True) == given


def test_unless_nothing_else_was_there(zoo):
    with pytest.raises(CorruptPrompt):
        screen(zoo, "tiny", rewrite=True, always=True)


def test_a_prompt_is_looked_at_up_to_a_length(zoo):
    with pytest.raises(prompts.PromptTooLong):
        screen(zoo, "x" * 100_001, rewrite=True)


def test_suspicion_and_matches(zoo):
    current = zoo.current()
    assert [current.suspicion(p) for p in ("fox", "cub den", "bare", "bare cub")] == [0, 1, 1, 2]
    assert current.matches("a bare, bare cub, tiny") == ["cub", "bare"]
    assert current.matches("a bare cub, tiny", 12) == ["tiny"]
    assert current.matches("a bare cub", 29) == []


# --- fail closed, and versions ---


async def test_without_filters_nothing_passes(session):
    never = Filters()
    with pytest.raises(prompts.FiltersUnavailable):
        screen(never, "a red fox", rewrite=True)
    await never.refresh(session, at=AT)
    with pytest.raises(prompts.FiltersUnavailable):
        screen(never, "a red fox", rewrite=True)


async def test_a_broken_filter_lets_nothing_pass_until_it_is_mended(session):
    zoo = await loaded(session, *ZOO)
    await session.execute(
        insert(table(FilterRow)).values(regex="(a", filter_type=20, replacement="")
    )
    await session.execute(update(table(FilterVersion)).values(version=77))
    later = AT + timedelta(seconds=2)
    await zoo.refresh(session, at=later)
    with pytest.raises(prompts.FiltersUnavailable):
        screen(zoo, "a red fox", rewrite=True)
    broken = (await stored.find(session, contains="(A"))[0]
    await stored.remove(session, str(broken.id))
    await zoo.refresh(session, at=later + timedelta(seconds=2))
    assert screen(zoo, "a red fox", rewrite=True) == "a red fox"


async def test_moderators_may_want_no_filters(session):
    assert screen(await loaded(session), "a bare cub", rewrite=False) == "a bare cub"


async def test_a_change_is_seen_a_second_later_or_at_once_where_it_was_made(session):
    zoo = await loaded(session, *ZOO)
    await stored.add(
        session, regex="fox", filter_type=11, description=None, replacement="", user_id=None
    )
    await zoo.refresh(session, at=AT + timedelta(milliseconds=900))
    assert zoo.current().suspicion("fox") == 0
    await zoo.refresh(session, at=AT + timedelta(milliseconds=1100))
    assert zoo.current().suspicion("fox") == 1
    await stored.remove(session, str((await stored.find(session, contains="fox"))[0].id))
    zoo.forget()
    await zoo.refresh(session, at=AT + timedelta(milliseconds=1200))
    assert zoo.current().suspicion("fox") == 0


# --- what ships ---


@pytest.mark.parametrize(
    ("prompt", "suspicion"),
    [
        ("a red fox on a blue background", 0),
        ("portrait of a woman, oil on canvas", 0),
        ("children playing football in a park", 1),
        ("a kid's birthday party, 7 years old", 1),
        ("a first grader in kindergarten", 1),
        ("nude marble statue of Venus", 1),
        ("sexy elf queen, 120 years old", 1),
        ("an 18 year old man, topless", 1),
        ("a cocktail with an assorted platter, Essex, Scunthorpe", 0),
        ("naked child", 2),
        ("n a k e d   c.h.i.l.d", 2),
        ("topless girl, 15 y.o.", 2),
        ("nsfw, aged 12", 2),
        ("erotic schoolgirl", 2),
        ("lolicon, hentai", 2),
        ("nude, preschool", 2),
    ],
)
def test_the_shipped_filters_tell_these_apart(ships, prompt, suspicion):
    assert ships.current().suspicion(prompt) == suspicion


def test_the_shipped_replacements_undo_what_they_replace(ships):
    rewritten = screen(ships, "sexy schoolgirl, 16 years old", rewrite=True)
    assert rewritten == f"sexy adult adult ### {FORCED_NEGATIVE}"
    strict = screen(ships, "a young student with pigtails", rewrite=False, always=True)
    assert strict == f"a adult with ### {FORCED_NEGATIVE}"


async def test_what_ships_is_stored_once_and_never_forced_on_moderators(session):
    await shipped.ensure(session)
    rows = await stored.find(session)
    assert len(rows) > 10
    await stored.remove(session, str(rows[0].id))
    await shipped.ensure(session)
    assert len(await stored.find(session)) == len(rows) - 1
    assert await shipped.load(session) == 1
    assert await shipped.load(session) == 0
    assert {(r.filter_type, r.regex) for r in await stored.find(session)} == {
        (r.filter_type, r.regex) for r in rows
    }
