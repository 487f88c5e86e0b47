import hashlib
import hmac

from core.outbox import signing


def test_a_receiver_can_verify_as_the_docs_say():
    key = signing.key_of(b"the server's", 7)
    said = signing.signature(key, at=1_700_000_000, content=b'{"img": "x"}')
    moment, digest = (part.partition("=")[2] for part in said.split(","))
    expected = hmac.new(key.encode(), f"{moment}.".encode() + b'{"img": "x"}', hashlib.sha256)
    assert (moment, digest) == ("1700000000", expected.hexdigest())


def test_each_user_has_another_key_and_each_server():
    keys = {signing.key_of(secret, user) for secret in (b"a", b"b") for user in (1, 2, 12)}
    assert len(keys) == 6
    assert {len(key) for key in keys} == {64}


def test_moment_and_content_are_signed():
    key = signing.key_of(b"a", 1)
    made = {
        signing.signature(key, at=at, content=content).partition("v1=")[2]
        for at, content in ((1, b"2.x"), (12, b".x"), (1, b"x"), (2, b"x"))
    }
    assert len(made) == 4
