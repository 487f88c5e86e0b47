"""A login service on loopback that refuses what real ones refuse.

It knows one client and its one redirect URI. A code is good once, for the client, redirect URI and
PKCE verifier that it was made for (RFC 6749, 7636); used twice, it takes back what it gave.
"""

import base64
import hashlib
import json
import secrets
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID = "the horde"
CLIENT_SECRET = "what the service gave the horde"


class OAuthServer:
    """Use it as a context manager.

    redirect_uris: where browsers may be sent back. people: what `user` says, by person. person: who
    sits before a browser that brings no `person` cookie. refused: the errors that it answered.
    """

    def __init__(self, *redirect_uris):
        self.redirect_uris = redirect_uris
        self.people = {"ann": {"sub": "1001", "id": 1001}, "bob": {"sub": "1002", "id": 1002}}
        self.person = "ann"
        self.secret = CLIENT_SECRET
        self.refused = []
        self.codes, self.tokens = {}, {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.service = self
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoints(self):
        """The addresses, as HORDE_LOGIN_ENDPOINTS has them for one service."""
        return {name: f"{self.url}/{name}" for name in ("authorize", "token", "user")}

    def authorize(self, asked, person):
        """Where the browser goes; an error where the client or its redirect URI is unknown."""
        if asked.get("client_id") != CLIENT_ID:
            return self._refuse("unknown client")
        if asked.get("redirect_uri") not in self.redirect_uris:
            return self._refuse("unknown redirect_uri")
        back = {"state": asked.get("state", "")}
        if person == "nobody":
            back["error"] = "access_denied"
        elif asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            back["error"] = "invalid_request"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = {**asked, "person": person, "token": None}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token(self, asked):
        """The answer's status and JSON."""
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT_ID, self.secret):
            return 401, self._refuse("invalid_client")
        code = self.codes.get(asked.get("code"))
        hashed = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if code is not None and code["token"]:
            self.tokens.pop(code["token"], None)
            return 400, self._refuse("code used twice")
        if (
            code is None
            or asked.get("grant_type") != "authorization_code"
            or asked.get("redirect_uri") != code["redirect_uri"]
            or challenge != code["code_challenge"]
        ):
            return 400, self._refuse("invalid_grant")
        code["token"] = secrets.token_urlsafe(16)
        self.tokens[code["token"]] = code["person"]
        return 200, {"access_token": code["token"], "token_type": "Bearer", "expires_in": 3600}

    def user(self, authorization):
        """The answer's status and JSON."""
        person = self.tokens.get(authorization.removeprefix("Bearer "))
        if person is None:
            return 401, self._refuse("invalid_token")
        return 200, self.people[person]

    def _refuse(self, error):
        self.refused.append(error)
        return {"error": error}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        service, url = self.server.service, urlsplit(self.path)
        if url.path == "/user":
            self._answer(*service.user(self.headers.get("Authorization", "")))
            return
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("person")
        target = service.authorize(asked, cookie.value if cookie else service.person)
        if isinstance(target, dict):
            self._answer(400, target)
            return
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        self._answer(*self.server.service.token(asked))

    def _answer(self, status, data):
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
