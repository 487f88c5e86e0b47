"""Login services: Google, Discord and GitHub, by OAuth 2.0 with authlib.

A service is only asked who somebody is there, and only the id in the answer is kept. A service is
offered if the operator has registered the horde there: see `Settings`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.accounts.login import Challenge
from core.errors import Forbidden, Unavailable
from core.settings import LoginEndpoints, Settings
from core.version import VERSION

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

# authlib is imported when a login begins: a horde without login services is 10 MB smaller.

SECONDS = 10.0
_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


class LoginRefused(Forbidden):
    """The service did not identify the person, or not for this login."""

    code = "LoginRefused"


class LoginUnavailable(Unavailable):
    """The service cannot be reached, or gives a strange answer."""

    code = "LoginUnavailable"


@dataclass(frozen=True, slots=True)
class Provider:
    """A login service at which the operator registered the horde."""

    name: str
    title: str
    prefix: str
    """The prefix of its ids among ours: `g_`, `d_`, `gh_`."""
    scope: str
    id_field: str
    """The field of the id in its answer about a person."""
    endpoints: LoginEndpoints
    client_id: str = ""
    client_secret: str = field(default="", repr=False)

    def where_to(self, challenge: Challenge, redirect_uri: str) -> str:
        """The page of the service where the browser is sent."""
        url, _ = self._client(redirect_uri).create_authorization_url(
            self.endpoints.authorize, state=challenge.state, code_verifier=challenge.verifier
        )
        return str(url)

    async def oauth_id(self, *, code: str, verifier: str, redirect_uri: str) -> str:
        """Exchange the code: return the service's id for the person, with our prefix.

        Raises LoginRefused and LoginUnavailable.
        """
        import httpx2  # noqa: PLC0415
        from authlib.integrations.base_client import OAuthError  # noqa: PLC0415

        async with self._client(redirect_uri) as client:
            try:
                await client.fetch_token(
                    self.endpoints.token,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
                answer = await client.get(self.endpoints.user)
                answer.raise_for_status()
                told = answer.json()
            except OAuthError as refused:
                raise LoginRefused(f"{self.title} did not confirm this login.") from refused
            except (httpx2.HTTPError, ValueError) as error:
                raise LoginUnavailable(
                    f"{self.title} does not answer. Please try again later."
                ) from error
        return self._known_as(told)

    def _known_as(self, told: object) -> str:
        found = told.get(self.id_field) if isinstance(told, dict) else None
        is_number = isinstance(found, int) and not isinstance(found, bool)
        if not (isinstance(found, str) or is_number) or not _ID.fullmatch(str(found)):
            raise LoginUnavailable(f"{self.title} did not say who this is.")
        return f"{self.prefix}{found}"

    def _client(self, redirect_uri: str) -> "AsyncOAuth2Client":
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # noqa: PLC0415

        return AsyncOAuth2Client(
            self.client_id,
            self.client_secret,
            scope=self.scope or None,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
            timeout=SECONDS,
            headers={"Accept": "application/json", "User-Agent": f"Stable Horde/{VERSION}"},
        )


SERVICES = (
    Provider(
        name="google",
        title="Google",
        prefix="g_",
        scope="openid",
        id_field="sub",
        endpoints=LoginEndpoints(
            authorize="https://accounts.google.com/o/oauth2/v2/auth",
            token="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
            user="https://openidconnect.googleapis.com/v1/userinfo",
        ),
    ),
    Provider(
        name="discord",
        title="Discord",
        prefix="d_",
        scope="identify",
        id_field="id",
        endpoints=LoginEndpoints(
            authorize="https://discord.com/oauth2/authorize",
            token="https://discord.com/api/oauth2/token",  # noqa: S106
            user="https://discord.com/api/users/@me",
        ),
    ),
    Provider(
        name="github",
        title="GitHub",
        prefix="gh_",
        scope="",  # the public profile is enough
        id_field="id",
        endpoints=LoginEndpoints(
            authorize="https://github.com/login/oauth/authorize",
            token="https://github.com/login/oauth/access_token",  # noqa: S106
            user="https://api.github.com/user",
        ),
    ),
)


def offered(settings: Settings) -> Mapping[str, Provider]:
    """The services at which this horde is registered, by name."""
    found = {}
    for service in SERVICES:
        client_id = getattr(settings, f"{service.name}_client_id")
        secret = getattr(settings, f"{service.name}_client_secret").get_secret_value()
        if client_id and secret:
            found[service.name] = replace(
                service,
                client_id=client_id,
                client_secret=secret,
                endpoints=settings.login_endpoints.get(service.name, service.endpoints),
            )
    return found
