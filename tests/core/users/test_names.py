import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.users import names


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("Ann", "Ann"),
        ("  Ann \t of\nGreen  Gables ", "Ann of Green Gables"),
        ("Ann#1", "Ann#1"),
        ("e\u0301", "é"),
        ("\u202eevil\u200b", "evil"),
        ("nul\x00byte \ud800", "nulbyte"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("愛" * 30, "愛" * 30),
    ],
)
def test_a_name_is_cleaned(given_name, cleaned):
    assert names.clean(given_name) == cleaned


@pytest.mark.parametrize("bad", ["", " \n ", "\u200b\x07", "x" * 31])
def test_a_bad_name_is_refused(bad):
    with pytest.raises(names.BadUsername):
        names.clean(bad)


@given(st.text())
def test_a_clean_name_stays_as_it_is_and_can_be_stored(text):
    try:
        name = names.clean(text)
    except names.BadUsername:
        return
    assert 1 <= len(name) <= 30
    assert names.clean(name) == name
    assert name.isprintable()
    name.encode()
