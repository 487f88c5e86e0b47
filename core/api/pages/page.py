"""The common part of our pages: the frame, what browsers may load, and errors."""

from pathlib import Path
from typing import Final

from quart import (
    Blueprint,
    Response,
    make_response,
    render_template,
    request,
    send_from_directory,
)
from werkzeug.exceptions import HTTPException

from core import static
from core.api import errors
from core.api.errors import status_of
from core.api.pages import visit
from core.errors import Refusal

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

STATIC: Final = Path(__file__).parent / "static"

blueprint = Blueprint(
    "site",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path=static.address("/assets", STATIC),
)


async def show(template: str, status: int = 200, **values: object) -> Response:
    """A page for a visitor, with the cookie that its forms need."""
    visitor = await visit.current()
    text = await render_template(f"site/{template}", visit=visitor, **values)
    response: Response = await make_response(text, status)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "no-store"  # it has a token in it, perhaps a key
    visitor.remember(response)
    return response


async def go(location: str) -> Response:
    """A redirection, with the cookie that the browser should keep."""
    response = Response("", 303, {"Location": location, "Cache-Control": "no-store"})
    (await visit.current()).remember(response)
    return response


@blueprint.get("/favicon.ico")
@blueprint.get("/assets/mark.svg")
async def mark() -> Response:
    """The mark, at the path where browsers and programs look for it in any version."""
    return await send_from_directory(STATIC, "mark.svg")


@blueprint.app_errorhandler(404)
@blueprint.app_errorhandler(405)
async def _nowhere(error: HTTPException) -> Response:
    """A page for people at a wrong address; programs get JSON."""
    wanted = request.accept_mimetypes
    is_person = wanted["text/html"] > wanted["application/json"]
    if request.path.startswith("/api/") or not is_person:
        return errors.of_http(error)
    answer: Response = await make_response(await render_template("site/nowhere.html"), error.code)  # type: ignore[assignment]
    return await _guard(answer)


@blueprint.after_request
async def _guard(response: Response) -> Response:
    """Allow the browser nothing that the pages do not need."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    # Not "no-referrer": with that, browsers hide the Origin of our own forms.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = static.lifetime(
        request.endpoint, response.status_code, response.headers.get("Cache-Control")
    )
    return response


@blueprint.errorhandler(Refusal)
async def _refused(refusal: Refusal) -> Response:
    return await show("refused.html", status_of(type(refusal)), refusal=refusal)
