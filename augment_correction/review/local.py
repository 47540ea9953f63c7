"""A page's server on this machine: on 127.0.0.1 alone, for whoever has its address.

Other programs of the machine and pages in the same browser can reach a local port, too. So the address holds a token; requests under
another name than 127.0.0.1 are refused (a name of somebody else may be made to lead here), and so are requests that another site
made; what changes something must be JSON from this very page.
"""

from __future__ import annotations

import re
import secrets
import sys
import threading
from abc import abstractmethod
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from augment_correction.errors import UserError

HOST = "127.0.0.1"
LONGEST = 1 << 20
"""Bytes of what a page sends."""
SECONDS = 30
"""Of silence, after which a connection is closed."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Query = dict[str, list[str]]


class RequestRejected(Exception):
    """A request that gets no answer but why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def not_here() -> RequestRejected:
    return RequestRejected(HTTPStatus.NOT_FOUND, "there is no such page")


@dataclass(frozen=True, slots=True)
class PageResponse:
    """`policy` is what the browser may do with it (CSP)."""

    body: bytes
    kind: str = "application/json"
    policy: str = "default-src 'none'"

    @classmethod
    def json(cls, data: Any) -> PageResponse:
        return cls(orjson.dumps(data, default=str))


class LocalServer(ThreadingHTTPServer):
    """`port` 0 takes a free one. `address` is what a person opens.

    Raises: OSError where the port is taken.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        super().__init__((HOST, port), _Handler)

    @abstractmethod
    def looked_at(self, path: str, query: Query) -> PageResponse:
        """`path` is what follows the token, empty for the page itself. Raises: Refused, UserError."""

    def sent(self, path: str, body: dict[str, Any]) -> PageResponse:
        """What the page itself has sent. Raises: Refused, UserError."""
        raise not_here()

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    @property
    def address(self) -> str:
        return f"{self.origin}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no fault."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """From one of its own threads, too."""
        threading.Thread(target=self.shutdown, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    timeout = SECONDS
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def version_string(self) -> str:
        return "local"

    def log_message(self, *_: Any) -> None:
        """The token stands in every line."""

    def _answered(self, answer: Any) -> None:
        try:
            self._send(answer())
        except RequestRejected as refused:
            self._send(PageResponse.json({"error": refused.why}), refused.status)
        except UserError as failure:
            told = f"{failure.message}; {failure.hint}" if failure.hint else failure.message
            self._send(PageResponse.json({"error": told}), HTTPStatus.UNPROCESSABLE_ENTITY)
        except (ConnectionError, TimeoutError):
            raise
        except Exception as failure:  # without an answer the page would say that the program has ended
            self.server.handle_error(self.request, self.client_address)
            told = f"the program failed, and its terminal says where: {failure}"
            self._send(PageResponse.json({"error": told}), HTTPStatus.INTERNAL_SERVER_ERROR)

    def _get(self) -> PageResponse:
        return self.server.looked_at(*self._place())

    def _post(self) -> PageResponse:
        body = self._body()
        path, _ = self._place()
        if self.headers.get("Origin") != self.server.origin:
            raise RequestRejected(HTTPStatus.FORBIDDEN, "only the page of the review may send this request")
        if self.headers.get_content_type() != "application/json":
            raise RequestRejected(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the request must be JSON")
        return self.server.sent(path, _object(body))

    def _body(self) -> bytes:
        """Read before anything is answered, so that the connection stays usable."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"\d{1,9}", length) or int(length) > LONGEST:
            self.close_connection = True
            raise RequestRejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request may have at most {LONGEST:,} bytes"
            )
        return self.rfile.read(int(length))

    def _place(self) -> tuple[str, Query]:
        """What is asked for, behind the token; and the query."""
        if self.headers.get("Host") != f"{HOST}:{self.server.server_port}":
            raise RequestRejected(HTTPStatus.FORBIDDEN, f"open {HOST} by that name")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise RequestRejected(HTTPStatus.FORBIDDEN, "the request came from another site")
        try:
            parts = urlsplit(self.path)
        except ValueError:
            raise RequestRejected(HTTPStatus.BAD_REQUEST, "the address cannot be read") from None
        _, token, rest = (*parts.path.split("/", 2), "", "")[:3]
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise RequestRejected(
                HTTPStatus.FORBIDDEN, "the address is incomplete: open the one that the terminal shows"
            )
        return rest, parse_qs(parts.query)

    def _send(self, answer: PageResponse, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        kinds = {"Content-Type": answer.kind, "Content-Security-Policy": answer.policy}
        for name, value in {**HEADERS, **kinds, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        raise RequestRejected(HTTPStatus.BAD_REQUEST, "the request is not valid JSON") from None
    if not isinstance(found, dict):
        raise RequestRejected(HTTPStatus.BAD_REQUEST, "the request must be a JSON object")
    return found
