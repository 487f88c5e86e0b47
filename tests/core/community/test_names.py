import pytest

from core.community import names
from core.community.names import Name
from core.errors import Invalid


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Fox", Name("fox")),
        ("a#b", Name("a#b")),
        ("", Name("")),
        ("Ann#7::Fox", Name("fox", None, 7)),
        ("a::b#7::Fox", Name("fox", None, 7)),
        ("a#1#7::Fox", Name("fox", None, 7)),
        ("style::Fox", Name("fox", "style")),
        ("collection::Fox", Name("fox", "collection")),
        ("style::Ann#7::Fox", Name("fox", "style", 7)),
        ("collection::Ann#7::Fox", Name("fox", "collection", 7)),
        ("Ann#7::style::Fox", Name("fox", "style", 7)),
        ("Ann::Fox", None),
        ("Ann#x::Fox", None),
        (f"Ann#{'9' * 20}::Fox", None),
    ],
)
def test_each_form_is_read(text, meant):
    assert names.read(text) == meant


def test_the_unique_name_is_read_again():
    assert names.read(names.unique("Ann#7", "style", "Fox")) == Name("fox", "style", 7)


def test_a_name_is_stored_on_one_line():
    assert names.clean("  a \n red\tfox ") == "a red fox"


@pytest.mark.parametrize("name", [" ", "a::b", "style::x", "shit"])
def test_what_is_no_name(name):
    with pytest.raises(Invalid):
        names.clean(name)
