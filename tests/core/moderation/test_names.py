import pytest

from core.moderation import names
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


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a worker", "a worker"),
        ("  a \t worker\r\n", "a worker"),
        ("wk\x1b]0;title\x07\x1b[31m", "wk]0;title[31m"),
        ("\u202eevil\u2066", "evil"),
        ("a\u200bb\u00adc\ufeffd\x00\x9b", "abcd"),
        ("half \ud83e of one", "half of one"),
        ("狐 und Füchse 🦊", "狐 und Füchse 🦊"),
        ("\u200b\u200e", ""),
    ],
)
def test_a_name_is_one_line_of_what_can_be_seen(sent, kept):
    assert names.clean(sent) == kept
    assert names.clean(kept) == kept


def test_a_text_keeps_its_lines():
    assert names.clean_text("a\x1b[2J fox\n\tand  \u202ea\r\ndog") == "a[2J fox\n\tand  a\ndog"


def test_what_cannot_be_seen_hides_no_word():
    assert is_profane("f\u200bu\u00adc\u202ek")
