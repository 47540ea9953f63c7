"""A small OpenID Connect provider on 127.0.0.1: it keeps to the standard (PKCE, codes that work once), and lies on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "the-workspace", "a secret of the client: long + 100 %"


class IdentityProvider:
    def __init__(self) -> None:
        self._codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        self.key: ECKey | None = ECKey.generate_key("P-256", {"kid": "one"})
        self.signing: Any = None
        """Another key than the published one, where a test wants that."""
        self.header: dict[str, Any] = {}
        self.refused: list[str] = []
        self.asked: list[str] = []
        self.away = False
        self.beside: list[Any] = []
        """Other keys in the set."""
        self.methods: list[str] | None = None
        """What it says of how it takes a client's secret; None: nothing, which means `client_secret_basic`."""

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(*provider.read(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._say(*provider.token({**dict(parse_qsl(body)), **shown(self.headers.get("authorization", ""))}))

            def _say(self, status: int, said: dict[str, Any]) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def read(self, path: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.away:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            said = {"issuer": self.issuer, **{name: self.issuer + at for name, at in names.items()}}
            return 200, said if self.methods is None else {
                **said,
                "token_endpoint_auth_methods_supported": self.methods,
            }
        if path == "/keys":
            return 200, {"keys": [*self.beside, *([self.key.as_dict(private=False)] if self.key else [])]}
        return 404, {}

    def authorize(self, address: str, **claims: Any) -> str:
        """What a person's browser comes back with, once he has said yes: the path of the callback."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256" and asked["state"]
        code = secrets.token_urlsafe(12)
        self._codes[code] = (asked, claims)
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return f"{urlsplit(asked['redirect_uri']).path}?{back}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked, claims = self._codes.pop(form.get("code", ""), ({}, {}))
        made = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        fits = (
            asked.get("code_challenge") == made.decode()
            and asked.get("redirect_uri") == form.get("redirect_uri")
            and (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
            and form.get("method", "client_secret_post") in (self.methods or ["client_secret_basic"])
        )
        if not fits:
            self.refused.append(form.get("code", ""))
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        said = {
            "iss": self.issuer, "aud": CLIENT, "sub": "sub-1", "iat": now, "exp": now + 60, "nonce": asked["nonce"],
            "email_verified": True, **claims,
        }  # fmt: skip
        if self.signing == "nobody":
            return 200, {"token_type": "Bearer", "access_token": "x", "id_token": unsigned(said)}
        assert self.key
        header = {"alg": "ES256", "kid": self.key.kid, **self.header}
        token = jwt.encode(header, said, self.signing or self.key, algorithms=["ES256", "HS256"])
        return 200, {"token_type": "Bearer", "access_token": "x", "id_token": token}


def shown(header: str) -> dict[str, str]:
    """Who a client says it is by HTTP Basic (RFC 6749, 2.3.1)."""
    if not header:
        return {}
    name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret), "method": "client_secret_basic"}


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts) + "."
