"""`/terms`, `/privacy` and `/sponsors`, and `/.well-known/serviceinfo`, which says what this is."""

from typing import Any, cast

from markupsafe import Markup
from quart import Blueprint, Response, jsonify

from core.api import context, documents
from core.api.pages import page
from core.version import VERSION

blueprint = Blueprint("about", __name__)

REPOSITORY = "https://github.com/stable-horde/stable-horde"
FORMAT = "0.2"
"""The version of serviceinfo's format."""


@blueprint.get("/<any(terms, privacy, sponsors):name>")
async def document(name: str) -> Response:
    """Show a document."""
    known = cast("documents.Name", name)
    text = documents.html(known, context.server().settings)
    # Its Markdown was rendered without raw HTML, so it is markup and nothing else.
    return await page.show("document.html", name=name, text=Markup(text))  # noqa: S704


@blueprint.get("/.well-known/serviceinfo")
async def serviceinfo() -> Response:
    """Tell programs what this is and where its API is."""
    url = context.server().settings.base_url
    told: dict[str, Any] = {
        "version": FORMAT,
        "software": {
            "name": "Stable Horde",
            "version": VERSION,
            "repository": REPOSITORY,
            "homepage": url,
            "logo": f"{url}/assets/mark.svg",
        },
        "api": {
            # The name by which clients look up this API, whoever serves it.
            "aihorde": {
                "name": "Stable Horde API",
                "version": "2.5",
                "base_url": f"{url}/api/v2",
                "rel_url": "/api/v2",
                "documentation": f"{url}/api/",
            }
        },
    }
    return jsonify(told)
