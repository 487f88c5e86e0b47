"""Puts the parts together: the only place that does."""

import importlib
from functools import partial

from quart import Quart

from core import events, schema, supervise
from core.api import bodies, errors, limits, openapi, pages, perimeter, pictures, v1
from core.api.caches import TtlCache
from core.api.context import EXTENSION, Server
from core.api.hubs import Hubs
from core.api.streams import EXTENSION as STREAMS
from core.api.streams import Streams
from core.api.v2 import blueprints, dev, webhooks
from core.api.v2.users import PAGES, PAGES_SECONDS
from core.api.v2.watch import CHECK_SECONDS, CHECKS, look
from core.db import Database
from core.generation.horde import Horde
from core.generation.waiters import Waiters
from core.images.signing import Signer
from core.images.store import FolderStore
from core.moderation import shipped
from core.moderation.modes import CurrentModes
from core.moderation.scores import OutsideScorer
from core.outside.addresses import Allowed
from core.outside.client import GuardedClient
from core.queue.lanes import Lanes
from core.settings import Settings
from core.supervise import ON_STOP, Duties
from core.upkeep.courier import Courier
from core.upkeep.references import References
from core.upkeep.runner import Upkeep
from core.users import directory
from core.users.keys import Keyring
from core.version import VERSION

PREFIXES = {"/api/v2": "", "/v2": "alias_"}
"""Where version 2 is found; some clients leave out `/api`."""

BODY_SECONDS = 60
ANSWER_SECONDS = 90


class App(Quart):
    """Quart, without its own log of failures at start or end: whoever runs the app logs them."""

    def log_exception(self, exception_info: object) -> None:
        """Log nothing. Failures in a request are logged by `core.api.errors`."""


def create_app(settings: Settings) -> Quart:
    """The server's app. Its database must be migrated already."""
    app = App(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["BODY_TIMEOUT"] = BODY_SECONDS
    app.config["RESPONSE_TIMEOUT"] = ANSWER_SECONDS
    app.url_map.strict_slashes = False
    server = _server(settings)
    app.extensions[EXTENSION] = server
    app.extensions[CHECKS] = TtlCache(CHECK_SECONDS)
    app.extensions[PAGES] = TtlCache(PAGES_SECONDS)
    app.extensions[STREAMS] = Streams(
        Hubs(server.horde.bus, partial(look, server)),
        most=settings.max_streams,
        most_of_address=settings.max_streams_per_address,
    )
    errors.register(app)
    bodies.register(app)
    _mount(app, settings)
    _run_with(app, server)
    app.extensions[ON_STOP] = lambda: _end_waiting(app, server)
    perimeter.guard(app, settings)
    return app


def _server(settings: Settings) -> Server:
    old = [secret.get_secret_value().encode() for secret in settings.old_secret_keys]
    keyring = Keyring(settings.secret(), old)
    signer = Signer(keyring.subkey("pictures"))
    shared_signer = Signer(keyring.subkey("shared"))
    outside = GuardedClient(
        allowed=Allowed(settings.outside_allowed), agent=f"Stable Horde/{VERSION}"
    )
    scorer_url = settings.address_scorer_url
    horde = Horde(
        settings=settings,
        store=FolderStore(settings.pictures, settings.base_url, signer, settings.url_seconds),
        bus=events.connect(redis_url=settings.redis_url, database_url=settings.database),
        lanes=Lanes(settings.max_lanes),
        waiters=Waiters(settings.max_waiting_pops, settings.max_waiting_pops_per_address),
        modes=CurrentModes(anonymous=settings.anonymous == "on"),
        scorer=OutsideScorer(scorer_url, outside) if scorer_url else None,
    )
    return Server(
        settings=settings,
        database=Database(settings.database),
        keyring=keyring,
        limiter=limits.connect(redis_url=settings.redis_url),
        signer=signer,
        shared_signer=shared_signer,
        shared=FolderStore(
            settings.shared_pictures,
            settings.base_url,
            shared_signer,
            settings.url_seconds,
            path="shared",
        ),
        horde=horde,
        outside=outside,
    )


def _mount(app: Quart, settings: Settings) -> None:
    for prefix, name in PREFIXES.items():
        for blueprint in blueprints():
            app.register_blueprint(blueprint, url_prefix=prefix, name=f"{name}{blueprint.name}")
        if settings.dev_endpoints == "on":
            app.register_blueprint(dev.blueprint, url_prefix=prefix, name=f"{name}dev")
    for prefix, blueprint, name in v1.mounted():
        app.register_blueprint(blueprint, url_prefix=prefix or None, name=name)
    app.register_blueprint(pictures.blueprint)
    # Swagger 2.0 has one base path for all paths.
    app.register_blueprint(pictures.blueprint, url_prefix="/api/v2", name="pictures_v2")
    app.register_blueprint(openapi.blueprint)
    app.register_blueprint(pages.blueprint)
    for plugin in settings.plugins:
        app.register_blueprint(importlib.import_module(plugin).blueprint)


def _run_with(app: Quart, server: Server) -> None:
    """Open resources when the server starts, and close them when it stops."""
    duties = Duties()

    @app.before_serving
    async def _open() -> None:
        try:
            await _start()
        except BaseException:
            await server.database.close()  # its threads would keep the process alive
            raise

    async def _start() -> None:
        server.database.hold_alone()
        await schema.require_current(server.database)
        async with server.database.writing() as session:
            await directory.ensure_anonymous(session, server.keyring)
            await shipped.ensure(session)
        await server.horde.bus.start()
        references = References(
            server.database,
            server.outside,
            server.settings.model_reference_url,
            fetches=server.settings.upkeep == "on",
        )
        await references.take_over()

        async def learn() -> None:
            async with server.database.reading() as session:
                await server.horde.lanes.update(session)

        duties.start("waking", lambda: server.horde.listen(learn))
        duties.start("references", references.run)
        if server.settings.upkeep == "on":
            duties.start("upkeep", Upkeep(server.database, server.horde).run)
            secret = server.keyring.subkey(webhooks.PURPOSE)
            duties.start("courier", Courier(server.database, server.outside, secret).run)

    @app.after_serving
    async def _close() -> None:
        _end_waiting(app, server)
        await supervise.close_all(
            (
                ("duties", duties.close),
                ("decoders", server.decoders.close),
                ("outside", server.outside.close),
                ("bus", server.horde.bus.close),
                ("limiter", server.limiter.close),
                ("database", server.database.close),
            )
        )


def _end_waiting(app: Quart, server: Server) -> None:
    """End all waiting: streams end, and pops are answered."""
    app.extensions[STREAMS].hubs.close()
    server.horde.waiters.close()
