"""Serves the page and its files; everything the page shows it gets from the API, in the browser.

The server mounts `blueprint` by name. It only knows of the server that `/api/v2` is at the same
origin, and that the blueprint `site` has the look that all pages share.

The addresses of its files change with their contents, so a browser never mixes two versions.
"""

from pathlib import Path
from typing import Final

from quart import Blueprint, Response, render_template, request

from core import static
from core.features import SAMPLERS

# img-src: a picture comes as base64, from this server, or by https from an object store elsewhere.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data: https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

blueprint = Blueprint(
    "web",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path=static.address("/web", Path(__file__).parent / "static"),
)


@blueprint.get("/")
async def create() -> str:
    """Serve the page where pictures are asked for and appear."""
    return await render_template("create.html", samplers=SAMPLERS)


@blueprint.after_request
async def guard(response: Response) -> Response:
    """Allow the browser nothing that the page does not need."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = static.lifetime(
        request.endpoint, response.status_code, response.headers.get("Cache-Control")
    )
    return response
