import pytest

from worker.text import formatting
from worker.text.order import Format


@pytest.mark.parametrize(
    ("text", "stops", "single_line", "end"),
    [
        ("on and on", ("stop",), True, None),
        ("and stop there", ("stop", "and s"), False, "and s"),
        ("and stop there", ("stop",), False, "and stop"),
        ("one\ntwo", (), True, "one"),
        ("one\ntwo", (), False, None),
        ("one\ntwo stop", ("stop",), True, "one"),
    ],
)
def test_a_text_ends_at_the_first_thing_that_ends_it(text, stops, single_line, end):
    assert formatting.ended(text, stops=stops, single_line=single_line) == end


@pytest.mark.parametrize(
    ("wanted", "text", "shaped"),
    [
        ({}, "as it\n\nis, <b>", "as it\n\nis, <b>"),
        ({}, "half a letter\ufffd", "half a letter"),
        ({"whole": True}, 'He said "no." And th', 'He said "no."'),
        ({"whole": True}, "no sentence", "no sentence"),
        ({"no_blank_lines": True}, "a\n\n\nb\nc", "a\nb\nc"),
        ({"plain": True}, "<b>50% @home</b>", "b50 homeb"),
        ({"spaced": True}, "then", " then"),
        ({"spaced": True}, " then", " then"),
        ({"spaced": True}, ", then", ", then"),
    ],
)
def test_a_finished_text_is_shaped_as_is_wanted(wanted, text, shaped):
    assert formatting.shaped(text, "Once", Format(**wanted)) == shaped


def test_a_space_that_is_there_is_not_doubled():
    assert formatting.shaped("then", "Once ", Format(spaced=True)) == "then"
