"""The two kinds of request that the plug-in makes: pictures, and forms of a picture."""

from typing import Any, Protocol

from stable_horde.transport import Json
from stable_horde.wire import Horde

UNDER_WAY = frozenset({"waiting", "processing"})


class Kind(Protocol):
    """How requests of a kind are asked for, followed and cancelled."""

    name: str

    def ask(self, horde: Horde, body: Json) -> Json:
        """Queue a request; the answer has its id."""
        ...

    def check(self, horde: Horde, request_id: str) -> Json:
        """How far it is, as an event `status` says it; `done` where nothing more will happen."""
        ...

    def results(self, horde: Horde, request_id: str) -> tuple[Json, list[Json]]:
        """What the end says, and the results: with `img`, or with `said`."""
        ...

    def cancel(self, horde: Horde, request_id: str) -> None:
        """Cancel what no worker has begun."""
        ...


class Pictures:
    """Pictures out of words, and perhaps another picture."""

    name = "pictures"

    def ask(self, horde: Horde, body: Json) -> Json:
        """Queue it, by the only model that is online where none is named."""
        if not body.get("models") and not body.get("style"):
            # What the request leaves open is then as that model wants it.
            offered = [model["name"] for model in horde.models() if model.get("count")]
            body = {**body, "models": offered} if len(offered) == 1 else body
        return horde.ask(body)

    def check(self, horde: Horde, request_id: str) -> Json:
        """How far it is."""
        said = horde.check(request_id)
        return {**said, "done": bool(said.get("done") or said.get("faulted"))}

    def results(self, horde: Horde, request_id: str) -> tuple[Json, list[Json]]:
        """The finished pictures."""
        said = horde.status(request_id)
        return said, _objects(said.get("generations"))

    def cancel(self, horde: Horde, request_id: str) -> None:
        """Cancel it."""
        horde.cancel(request_id)


class Forms:
    """What is wanted of a picture that is there: an upscaled copy, a caption."""

    name = "forms"

    def ask(self, horde: Horde, body: Json) -> Json:
        """Queue them."""
        return horde.ask_forms(body)

    def check(self, horde: Horde, request_id: str) -> Json:
        """How far they are; the API tells nothing but states."""
        states = [form.get("state") for form in _objects(horde.forms(request_id).get("forms"))]
        return {
            "finished": states.count("done"),
            "processing": states.count("processing"),
            "waiting": states.count("waiting"),
            "done": UNDER_WAY.isdisjoint(states),
        }

    def results(self, horde: Horde, request_id: str) -> tuple[Json, list[Json]]:
        """The results by form: a link is a picture, anything else says something about it."""
        found: list[Json] = []
        forms = _objects(horde.forms(request_id).get("forms"))
        for form in forms:
            name, result = str(form.get("form")), form.get("result")
            if form.get("state") == "done" and isinstance(result, dict):
                value = result.get(name, result)
                is_link = isinstance(value, str) and value.startswith(("http://", "https://"))
                found.append({"id": name, "form": name, "img" if is_link else "said": value})
        faulted = any(form.get("state") == "faulted" for form in forms)
        return {"faulted": faulted}, found

    def cancel(self, horde: Horde, request_id: str) -> None:
        """Cancel them."""
        horde.cancel_forms(request_id)


PICTURES = Pictures()
FORMS = Forms()
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in (PICTURES, FORMS)}


def _objects(value: Any) -> list[Json]:  # noqa: ANN401 - whatever a horde says
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
