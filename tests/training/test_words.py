"""The words for which the dictionary is no help."""

from training import concepts, landscapes, words


def test_what_is_drawn_for_them_can_be_drawn():
    known = {concept.noun for concept in concepts.shipped().values()}
    known |= {place.noun for place in landscapes.shipped().values()}

    assert {thing for instead in words.otherwise().values() for thing in instead} <= known
    assert known >= words.NOT_DRAWN


def test_the_best_that_is_drawn_for_a_word_comes_first():
    found = words.otherwise()

    assert found["porsche"] == ("racing car", "car")
    assert found["flowers"] == ("bouquet", "tulip")
    assert found["fog"] == ()
