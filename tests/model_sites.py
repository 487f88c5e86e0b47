"""A model hub and CivitAI on the loopback address, with a store that they redirect to.

They refuse what the real ones refuse (no token, unknown things), and misbehave as they are told:
cut connections, lie about lengths, ask to wait, send another version, or a page.
"""

import hashlib
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "a-token-of-the-site"


class Sites:
    """Use it as a context manager.

    repositories: files (path to bytes) by repository. licences: by repository.
    gated: repositories that want the token.
    models: what CivitAI says of a model, by number; `civitai_file` makes one.
    faults: what goes wrong with the next answers with a file; see `Store`.
    requests: (path, headers) of all that came to the store, to the hub and to CivitAI.
    """

    def __init__(self):
        self.repositories, self.licences, self.gated = {}, {}, set()
        self.models, self.files, self.faults = {}, {}, deque()
        self.api_faults = deque()
        self.requests = []
        self.wrong_sha256 = set()
        self._servers = [_serving(handler, self) for handler in (Front, Store)]
        self.url, self.store = (
            f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers
        )

    def __enter__(self):
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def repository(self, name, files, *, licence="mit", gated=False):
        self.repositories[name] = files
        self.licences[name] = licence
        if gated:
            self.gated.add(name)

    def civitai(self, number, content, *, name="model.safetensors", base="SD 1.5", login=False):
        """Have a model of one version, whose number is ten times the model's."""
        version = number * 10
        self.files[version] = (content, login)
        told = {
            "id": version,
            "modelId": number,
            "name": "v1",
            "baseModel": base,
            "files": [
                {
                    "name": "training.zip",
                    "type": "Training Data",
                    "sizeKB": 1,
                    "downloadUrl": "https://civitai.com/api/download/models/1",
                },
                {
                    "name": name,
                    "type": "Model",
                    "primary": True,
                    "sizeKB": len(content) / 1024,
                    "hashes": {"SHA256": hashlib.sha256(content).hexdigest().upper()},
                    "downloadUrl": f"https://civitai.com/api/download/models/{version}",
                },
            ],
        }
        self.models[number] = {
            "id": number,
            "name": "A Model",
            "allowNoCredit": True,
            "allowCommercialUse": ["Image"],
            "modelVersions": [told],
        }

    def of_the_store(self):
        return [headers for path, headers in self.requests if path.startswith("store:")]


def _serving(handler, sites):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.sites = sites
    return server


class Base(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    @property
    def sites(self):
        return self.server.sites

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def json(self, status, told, **headers):
        self.answer(status, json.dumps(told).encode(), **headers)

    @property
    def has_token(self):
        return self.headers["Authorization"] == f"Bearer {TOKEN}"


class Front(Base):
    """What both sites show: their APIs, and links into the store."""

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.sites.requests.append((path, dict(self.headers)))
        if self.sites.api_faults:
            status, headers = self.sites.api_faults.popleft()
            return self.json(status, {"error": "not now"}, **headers)
        words = path.strip("/").split("/")
        if words[:2] == ["api", "models"]:
            return self._hub_api("/".join(words[2:4]))
        if words[:3] == ["api", "v1", "models"]:
            return self._told(self.sites.models.get(int(words[3])))
        if words[:3] == ["api", "v1", "model-versions"]:
            version = int(words[3])
            model = self.sites.models.get(version // 10)
            return self._told(model and model["modelVersions"][0])
        if words[:3] == ["api", "download", "models"]:
            return self._civitai_file(int(words[3]))
        return self._hub_file("/".join(words[:2]), "/".join(words[4:]))

    def _told(self, told):
        self.json(200 if told else 404, told or {"error": "Model not found"})

    def _hub_api(self, name):
        if name in self.sites.gated and not self.has_token:
            return self.json(401, {"error": "gated"}, X_Error_Code="GatedRepo")
        files = self.sites.repositories.get(name)
        if files is None:
            return self.json(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        siblings = []
        for path, content in files.items():
            one = {"rfilename": path, "size": len(content)}
            if path.endswith((".safetensors", ".pth")):
                digest = hashlib.sha256(content).hexdigest()
                if path in self.sites.wrong_sha256:
                    digest = "0" * 64
                one["lfs"] = {"sha256": digest, "size": len(content)}
            siblings.append(one)
        told = {
            "id": name,
            "sha": COMMIT,
            "cardData": {"license": self.sites.licences[name]},
            "siblings": siblings,
        }
        return self.json(200, told)

    def _hub_file(self, name, path):
        if name in self.sites.gated and not self.has_token:
            return self.json(401, {"error": "gated"}, X_Error_Code="GatedRepo")
        if path not in self.sites.repositories.get(name, {}):
            return self.json(404, {"error": "Entry not found"})
        return self.answer(302, Location=f"{self.sites.store}/hub/{name}/{path}?signature=s")

    def _civitai_file(self, version):
        content, login = self.sites.files.get(version, (None, False))
        if content is None:
            return self.json(404, {"error": "File not found"})
        if login and not self.has_token:
            return self.json(
                401, {"error": "Unauthorized", "message": "requires you to be logged in"}
            )
        return self.answer(307, Location=f"{self.sites.store}/civitai/{version}?signature=s")


class Store(Base):
    """Where files come from. Each fault is used up by one answer:

    ("cut", n): the connection ends after n bytes. ("short",): says it is shorter than it is.
    ("long",): says it is longer than it is. ("status", s, headers). ("no ranges",): sends all.
    ("elsewhere",): goes on at another place. ("changed", bytes): is another version, and stays it.
    ("page",): a page. ("more", n): n bytes too many. ("onward", url): another redirect.
    ("silent tag",): has no ETag.
    """

    def do_GET(self):
        self.sites.requests.append(("store:" + self.path, dict(self.headers)))
        assert "Authorization" not in self.headers, "the token went to somebody else"
        words = unquote(urlsplit(self.path).path).strip("/").split("/")
        if words[0] == "hub":
            name, path = "/".join(words[1:3]), "/".join(words[3:])
            files = self.sites.repositories[name]
        else:
            files, path = {words[1]: self.sites.files[int(words[1])][0]}, words[1]
        fault = self.sites.faults.popleft() if self.sites.faults else ("none",)
        if fault[0] == "changed":
            files[path] = fault[1]
        self._send(files[path], *fault)

    def _send(self, content, fault, *more):  # noqa: C901, PLR0912 - a line a fault
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        tags = {} if fault == "silent tag" else {"ETag": tag}
        if fault == "status":
            return self.answer(more[0], b"no", **more[1])
        if fault == "page":
            return self.answer(200, b"<html>", Content_Type="text/html; charset=utf-8")
        if fault == "onward":
            return self.answer(302, Location=more[0])
        begin = 0
        asked = self.headers["Range"]
        if asked and fault != "no ranges" and self.headers["If-Range"] == tag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            if begin >= len(content):
                return self.answer(416, Content_Range=f"bytes */{len(content)}")
        if fault == "elsewhere":
            begin = begin // 2
        rest = content[begin:]
        length = len(rest)
        if fault == "short":
            rest = rest[: length // 2]
            length = len(rest)
        if fault == "long":
            length += 1000
        if fault == "more":
            rest += b"x" * more[0]
            length = len(rest)
        if fault == "cut":
            rest = rest[: more[0]]
        headers = {"Content_Length": str(length), "Accept_Ranges": "bytes", **tags}
        if begin or (asked and fault == "elsewhere"):
            headers["Content_Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self.answer(206, rest, **headers)
        else:
            self.answer(200, rest, **headers)
        if fault in {"cut", "long"}:
            self.close_connection = True
        return None
