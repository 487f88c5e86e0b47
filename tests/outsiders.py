"""Others' HTTP servers for tests: real ones, on loopback, with and without TLS."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "localhost"


@dataclass(frozen=True)
class Call:
    """What a server was asked."""

    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Outsider:
    """A server. Its answers are taken in turn, the last one again and again."""

    port: int = 0
    scheme: str = "http"
    answers: list = field(default_factory=lambda: [answer()])
    calls: list = field(default_factory=list)
    connections: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait for it; it is set unless a test clears it."""

    def url(self, path="/", host=NAME):
        return f"{self.scheme}://{host}:{self.port}{path}"


def answer(status=200, body=b"", **headers):
    """The bytes of an answer."""
    told = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status} said so"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in told.items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.asynccontextmanager
async def outsider(*answers, tls=None, host="127.0.0.1"):
    """Run a server for the block."""
    made = Outsider(scheme="https" if tls else "http")
    made.answers = list(answers) or made.answers
    made.open.set()
    server = await asyncio.start_server(
        lambda reader, writer: _serve(made, reader, writer), host, 0, ssl=tls
    )
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.open.set()
        server.close()


async def _serve(made, reader, writer):
    made.connections += 1
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        made.calls.append(Call(method, path, headers, body))
        made.heard.set()
        await made.open.wait()
        said = made.answers[0] if len(made.answers) == 1 else made.answers.pop(0)
        writer.write(said)
        await writer.drain()
    writer.close()


def certificate(folder: Path, *names):
    """A server's TLS, valid for the names, and the file by which its certificate is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([_alternative(each) for each in names])
    at = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - dt.timedelta(days=1))
        .not_valid_after(at + dt.timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    (folder / "both.pem").write_bytes(secret + public)
    (folder / "trusted.pem").write_bytes(public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context, folder / "trusted.pem"


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
