"""The two clients, `HordeClient` and `SyncHordeClient`, and the parts that both have."""

from types import TracebackType
from typing import Final, Self, Unpack

from core.client.alchemy import Alchemy
from core.client.api import Api
from core.client.connection import ANONYMOUS_KEY, Options, connect
from core.client.images import Images
from core.client.kudos import Kudos
from core.client.moderation import Addresses, Filters, Reports
from core.client.overview import Models, Overview, Stats
from core.client.ratings import Ratings, SharedPictures
from core.client.running import Async, R, Sync
from core.client.shared_keys import SharedKeys
from core.client.styles import Collections, Styles, TextStyles
from core.client.teams import Teams
from core.client.text import Text
from core.client.users import Users
from core.client.workers import Messages, Workers


class Horde(Images[R], Overview[R]):
    """All that a horde can be asked for: pictures and the horde itself here, the rest in parts."""

    def __init__(self, api: Api, runner: R) -> None:
        super().__init__(api, runner)
        self.text: Final = Text(api, runner)
        """Asking for text, and serving it."""
        self.alchemy: Final = Alchemy(api, runner)
        """Asking about existing pictures, and answering."""
        self.users: Final = Users(api, runner)
        """Accounts, and logging in."""
        self.kudos: Final = Kudos(api, runner)
        self.shared_keys: Final = SharedKeys(api, runner)
        """Keys that let others ask at their owner's expense."""
        self.workers: Final = Workers(api, runner)
        self.messages: Final = Messages(api, runner)
        """Messages to workers."""
        self.teams: Final = Teams(api, runner)
        """Teams of workers."""
        self.styles: Final = Styles(api, runner)
        """Styles for pictures."""
        self.text_styles: Final = TextStyles(api, runner)
        self.collections: Final = Collections(api, runner)
        """Collections of styles."""
        self.models: Final = Models(api, runner)
        self.stats: Final = Stats(api, runner)
        """How much was made."""
        self.ratings: Final = Ratings(api, runner)
        self.shared_pictures: Final = SharedPictures(api, runner)
        """Pictures that were given to the data set."""
        self.reports: Final = Reports(api, runner)
        """Reports of abuse."""
        self.filters: Final = Filters(api, runner)
        """The filters that prompts are searched for."""
        self.addresses: Final = Addresses(api, runner)
        """Addresses that are kept out."""

    def with_key(self, api_key: str) -> "Horde[R]":
        """The same horde for somebody else, over the same connections, which stay this one's."""
        return Horde(self._api.with_key(api_key), self._runner)


class HordeClient(Horde[Async]):
    """Calls one horde with one API key. Use it as an asynchronous context manager.

    What may be repeated without harm is repeated when the connection fails or the server says "not
    now": reading, changing, deleting, uploading, cancelling, submitting and giving kudos. What
    would happen twice (`generate`, `register`, every `create`) is not: after a lost answer it would
    cost twice or make a second one. It is only tried again where the server says that too many
    calls came in too short a time, for then it did nothing. A `pop` is never repeated.

    The key goes only to the origin of `url`, never to the target of a redirect or a picture's URL.

    url: where the horde is, with or without `/api` or `/api/v2`.
    client_agent: `name:version:contact` of the program that uses this.
    transport: carries the calls to the origin of `url` (pictures elsewhere take the network).
    timeout_seconds: for each attempt, from connecting to the last byte. Pictures have their own
        limit, and a pop may take longer by its own `wait`.
    poll_seconds: how often a request is polled if the server has no event stream.
    private: None: pictures may be anywhere. Otherwise only on the public internet, at the horde's
        own address, and at these addresses and networks. Every method raises a HordeError on
        failure; see `core.client.errors`.
    """

    def __init__(self, url: str, api_key: str = ANONYMOUS_KEY, **options: Unpack[Options]) -> None:
        super().__init__(connect(url, api_key, **options), Async())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._api.aclose()


class SyncHordeClient(Horde[Sync]):
    """The same without `await`: operations block until they are done. Use it as a context manager.

    It may be used by several threads, and where an event loop runs (as in a notebook). The
    arguments are those of `HordeClient`.
    """

    def __init__(self, url: str, api_key: str = ANONYMOUS_KEY, **options: Unpack[Options]) -> None:
        super().__init__(connect(url, api_key, **options), Sync())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._runner.close(self._api.aclose())
