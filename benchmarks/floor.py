"""The floor: a route that does nothing, on the same server, in a process of its own.

    python -m benchmarks.floor

What a request costs here, no request to the horde can cost less.
"""

from quart import Quart, Response, request

from core import serving

HOST = "127.0.0.1"


def create_app() -> Quart:
    """An app with one bare route, which reads its body and answers `{}`."""
    app = Quart(__name__, static_folder=None)

    @app.route("/", methods=["GET", "POST"])
    async def nothing() -> Response:
        await request.get_data(parse_form_data=False)
        return Response(b"{}", content_type="application/json")

    return app


if __name__ == "__main__":
    port = serving.free_port(HOST)
    serving.run(create_app, host=HOST, port=port, address=f"http://{HOST}:{port}")
