"""Field masks: what of an answer a client asks for."""

import pytest

from core.api import fields
from core.api.fields import MaskError

JOB = {
    "id": "1",
    "payload": {"prompt": "a fox", "seed": "7", "post-processing": ["up"]},
    "jobs": [{"state": "done", "worker": {"id": "w", "name": "n"}}, {"state": "waiting"}],
    "message": None,
    "kudos": 1.5,
}


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        ("", JOB),
        (" ", JOB),
        ("{}", JOB),
        ("*", JOB),
        ("id", {"id": "1"}),
        ("{id}", {"id": "1"}),
        (" { id , kudos } ", {"id": "1", "kudos": 1.5}),
        ("kudos,id", {"id": "1", "kudos": 1.5}),
        ("id,unknown,other{a}", {"id": "1"}),
        ("unknown", {}),
        ("message", {"message": None}),
        ("message{a}", {"message": None}),
        ("kudos{a}", {"kudos": 1.5}),
        ("payload{seed}", {"payload": {"seed": "7"}}),
        ("payload{seed},id", {"id": "1", "payload": {"seed": "7"}}),
        ("payload{}", {"payload": JOB["payload"]}),
        ("payload{seed,post-processing}", {"payload": {"seed": "7", "post-processing": ["up"]}}),
        ("payload{seed},payload{prompt}", {"payload": {"prompt": "a fox", "seed": "7"}}),
        ("jobs{state}", {"jobs": [{"state": "done"}, {"state": "waiting"}]}),
        ("jobs{worker{name}}", {"jobs": [{"worker": {"name": "n"}}, {}]}),
        ("*,payload{seed}", {**JOB, "payload": {"seed": "7"}}),
        ("payload{*}", {"payload": JOB["payload"]}),
    ],
)
def test_a_mask_keeps_what_it_names(mask, kept):
    assert fields.apply(fields.parse(mask), JOB) == kept


def test_a_list_is_masked_item_by_item():
    assert fields.apply(fields.parse("id"), [JOB, JOB]) == [{"id": "1"}, {"id": "1"}]


def test_the_order_is_the_datas_and_the_data_stay_as_they_were():
    before = repr(JOB)
    assert list(fields.apply(fields.parse("kudos,id"), JOB)) == ["id", "kudos"]
    assert repr(JOB) == before


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        ("{a", "missing closing bracket"),
        ("a{b", "missing closing bracket"),
        ("a{b{c}", "missing closing bracket"),
        ("a}", "unexpected '}'"),
        ("a{b}}", "unexpected '}'"),
        ("{a}}", "unexpected '}'"),
        ("{a},b", "unexpected ','"),
        ("{a}{b}", "unexpected '{'"),
        ("a,,b", "unexpected ','"),
        (",a", "unexpected ','"),
        ("a,", "unexpected '}'"),
        ("a b", "unexpected 'b'"),
        ("a{b}c", "unexpected 'c'"),
        ("*{a}", "unexpected '{'"),
        ("{{a}}", "unexpected '{'"),
        ("a{,}", "unexpected ','"),
        ("a[b]", "unexpected '['"),
        ("a;b", "unexpected ';'"),
        ("é", "unexpected 'é'"),
        ("{", "missing closing bracket"),
        ("}", "unexpected '}'"),
    ],
)
def test_what_is_no_mask_is_refused_with_the_reason(mask, reason):
    with pytest.raises(MaskError, match=r"^Mask parse error: ") as refusal:
        fields.parse(mask)
    assert reason in str(refusal.value)


def test_a_hostile_mask_is_no_burden():
    deep = "a{" * 20_000 + "a" + "}" * 20_000
    assert fields.apply(fields.parse(deep), {"a": {"a": 1}}) == {"a": {"a": 1}}
    with pytest.raises(MaskError):
        fields.parse("{" * 100_000)
    with pytest.raises(MaskError):
        fields.parse(" " * 100_000 + "a" + " " * 100_000 + ";")
