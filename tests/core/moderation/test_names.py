import pytest

from core.moderation.names import is_profane


@pytest.mark.parametrize(
    "text",
    ["a shit worker", "F.u.c.k you", "$h1t", "fuuuuck", "f u c k", "FÚCK", "niggger", "\u017fhit"],
)
def test_a_listed_word_is_seen_also_in_disguise(text):
    assert is_profane(text)


@pytest.mark.parametrize(
    "text", ["", "Scunthorpe", "cockpit", "a b c d", "niger", "a kiss", "Con Air", "4xxx", "狐"]
)
def test_what_only_looks_like_one_is_not(text):
    assert not is_profane(text)
