import time

import pytest

from core.moderation import patterns


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(a", r"missing \)"),
        ("a(?=b)", r"\(\?="),
        (r"(a)\1", "escape"),
        ("", "empty text"),
        ("a*", "empty text"),
        ("a|", "empty text"),
        ("x" * 10_001, "at most 10000"),
        ("((a{100}){100}){100}", "repetition|too large"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_cannot_be_a_filter(expression, why):
    with pytest.raises(patterns.BadExpression, match=why):
        patterns.check(expression)


def test_letters_match_in_either_case():
    patterns.check(r"\bfox\b")
    assert patterns.compiled(r"\bfox\b").search("a Red FOX") is not None


def test_an_expression_that_is_slow_elsewhere_is_not_slow_here():
    patterns.check("(a+)+$")
    began = time.process_time()
    assert patterns.compiled("(a+)+$").search("a" * 50_000 + "b") is None
    assert time.process_time() - began < 1
