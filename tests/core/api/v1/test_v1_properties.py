"""Whatever is sent to version 1, it answers as it should: never by failing."""

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

import serving
from core.users.tables import Role
from serving import ANONYMOUS

# What may be sent, with something that makes sense.
PATHS = {
    ("POST", "/generate/async"): {"prompt": "a fox", "params": {"steps": 1}, "servers": []},
    ("POST", "/generate/pop"): {"name": "one", "max_pixels": 4096, "priority_usernames": []},
    ("POST", "/generate/submit"): {"id": "none", "generation": "none", "seed": 1},
    ("PUT", "/users/1"): {"kudos": 1, "concurrency": 50, "usage_multiplier": 1},
    ("PUT", "/servers/none"): {"maintenance": True, "paused": True},
    ("POST", "/kudos/transfer"): {"username": "Admin#1", "amount": 1},
    ("PUT", "/admin/maintenance"): {"active": False},
}
EXPECTED = {200, 400, 401, 403, 404, 503}

numbers = st.one_of(
    st.integers(), st.integers(-5, 600), st.floats(allow_nan=False, allow_infinity=False)
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
params = st.fixed_dictionaries(
    {},
    optional={
        "n": numbers,
        "width": st.one_of(numbers, st.sampled_from([64, 512])),
        "height": st.one_of(numbers, st.sampled_from([64, 512])),
        "steps": numbers,
        "seed": values,
        "cfg_scale": values,
        "sampler_name": values,
        "toggles": values,
    },
)


def calls(key):
    """A call of one of the paths, with arguments that may be what they should be, or anything."""

    def of(path):
        named = {
            name: st.one_of(st.just(good), params if name == "params" else values, values)
            for name, good in PATHS[path].items()
        }
        sent = st.fixed_dictionaries(
            {"api_key": st.sampled_from([key, key, ANONYMOUS, "nobodys"])}, optional=named
        )
        good = st.builds(lambda arguments: {**PATHS[path], **arguments}, sent)
        return st.tuples(st.just(path), st.one_of(sent, good))

    return st.sampled_from(list(PATHS)).flatmap(of)


def test_no_call_makes_it_fail(sqlite_url, tmp_path):
    with asyncio.Runner() as runner:
        opened = serving.in_process(sqlite_url, tmp_path)
        app = runner.run(opened.__aenter__())
        admin = runner.run(app.user("Admin", roles=int(Role.ADMIN | Role.MODERATOR)))
        runner.run(app.pop(admin.key))  # somebody is there to make pictures
        answered = []

        @settings(max_examples=150, deadline=None)
        @given(calls(admin.key))
        def check(call):
            (method, path), arguments = call
            answer = runner.run(
                app.http.request(
                    method,
                    f"/api/v1{path}",
                    content=json.dumps(arguments).encode(),
                    headers={"Content-Type": "application/json"},
                )
            )
            assert answer.status_code in EXPECTED, (path, arguments, answer.text)
            answered.append(answer.status_code)

        try:
            check()
            assert {200, 400, 401, 404} <= set(answered)
        finally:
            runner.run(opened.__aexit__(None, None, None))
