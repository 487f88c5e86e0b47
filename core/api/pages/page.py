"""What all pages of ours share: the frame, what browsers may load, and how errors look."""

from typing import Final

from quart import Blueprint, Response, make_response, render_template
from quart.typing import ResponseTypes

from core.api.errors import status_of
from core.api.pages import visit
from core.errors import Refusal

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

blueprint = Blueprint(
    "site", __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
)


async def show(template: str, status: int = 200, **values: object) -> Response:
    """A page, for whoever visits; with the cookie that its forms need."""
    visitor = await visit.current()
    text = await render_template(f"site/{template}", visit=visitor, **values)
    response: Response = await make_response(text, status)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "no-store"  # it has a token in it, perhaps a key
    visitor.remember(response)
    return response


async def go(location: str) -> Response:
    """A redirection, with the cookie that the browser is to keep."""
    response = Response("", 303, {"Location": location, "Cache-Control": "no-store"})
    (await visit.current()).remember(response)
    return response


@blueprint.after_request
async def _guard(response: ResponseTypes) -> ResponseTypes:
    """Allow the browser nothing that the pages do not need."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    # Not "no-referrer": with that, browsers hide the Origin of our own forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.errorhandler(Refusal)
async def _refused(refusal: Refusal) -> Response:
    return await show("refused.html", status_of(type(refusal)), refusal=refusal)
