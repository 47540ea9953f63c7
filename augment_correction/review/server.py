"""The page's server: on 127.0.0.1 alone, for whoever has its address.

Other programs of the machine and pages in the same browser can reach a local port, too. So the address holds a token; requests under
another name than 127.0.0.1 are refused (a name of somebody else may be made to lead here), and so are requests that another site
made; what changes something must be JSON from this very page.
"""

from __future__ import annotations

import re
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from augment_correction.errors import UserError
from augment_correction.review.desk import Desk, told_of
from augment_correction.review.page import review_page

HOST = "127.0.0.1"
LONGEST = 1 << 20
"""Bytes of a decision."""
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


class Refused(Exception):
    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class ReviewServer(ThreadingHTTPServer):
    """`port` 0 takes a free one. `address` is what the reviewer opens.

    Raises: OSError where the port is taken.
    """

    daemon_threads = True

    def __init__(self, desk: Desk, name: str, port: int = 0) -> None:
        self.desk = desk
        self.token = secrets.token_urlsafe(24)
        self.page = review_page(name)
        super().__init__((HOST, port), _Handler)

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    @property
    def address(self) -> str:
        return f"{self.origin}/{self.token}/"

    def stop(self) -> None:
        """From one of its own threads, too."""
        threading.Thread(target=self.shutdown, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    timeout = SECONDS
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def version_string(self) -> str:
        return "review"

    def log_message(self, *_: Any) -> None:
        """The token stands in every line."""

    def _answered(self, answer: Any) -> None:
        try:
            answer()
        except Refused as refused:
            self._send_json({"error": refused.why}, refused.status)
        except UserError as failure:
            self._send_json({"error": told_of(failure)}, HTTPStatus.UNPROCESSABLE_ENTITY)

    def _get(self) -> None:
        path, query = self._place()
        if path == "":
            self._send(self.server.page.body, "text/html; charset=utf-8", policy=self.server.page.policy)
        elif path == "api/rows":
            self._send_json(self.server.desk.overview())
        elif path == "api/row":
            self._send_json(self.server.desk.row(query.get("id", [""])[0]))
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _post(self) -> None:
        body = self._body()
        path, _ = self._place()
        if self.headers.get("Origin") != self.server.origin:
            raise Refused(HTTPStatus.FORBIDDEN, "only the page itself may decide")
        if self.headers.get_content_type() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a decision is JSON")
        if path == "api/decide":
            self._send_json(self.server.desk.decide(_object(body)))
        elif path == "api/finish":
            self._send_json({"finished": True})
            self.server.stop()
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _body(self) -> bytes:
        """Read before anything is answered, so that the connection stays usable."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"\d{1,9}", length) or int(length) > LONGEST:
            self.close_connection = True
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a decision has at most {LONGEST:,} bytes")
        return self.rfile.read(int(length))

    def _place(self) -> tuple[str, dict[str, list[str]]]:
        """What is asked for, behind the token; and the query."""
        if self.headers.get("Host") != f"{HOST}:{self.server.server_port}":
            raise Refused(HTTPStatus.FORBIDDEN, f"open {HOST} by that name")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Refused(HTTPStatus.FORBIDDEN, "another site asked for this")
        parts = urlsplit(self.path)
        _, token, rest = (*parts.path.split("/", 2), "", "")[:3]
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.FORBIDDEN, "the address is not whole: open the one that the terminal shows")
        return rest, parse_qs(parts.query)

    def _send_json(self, data: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(orjson.dumps(data, default=str), "application/json", status=status)

    def _send(
        self, body: bytes, kind: str, *, status: HTTPStatus = HTTPStatus.OK, policy: str = "default-src 'none'"
    ) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Security-Policy": policy}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, "this is no JSON") from None
    if not isinstance(found, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "a decision is an object")
    return found
