"""What the page of `review` is answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from augment_correction.review.desk import Desk, OutdatedPage
from augment_correction.review.local import LocalServer, PageResponse, Query, RequestRejected, not_here
from augment_correction.review.page import served_page


class ReviewServer(LocalServer):
    """`name` is the run's.

    Raises: OSError where the port is taken.
    """

    def __init__(self, desk: Desk, name: str, port: int = 0) -> None:
        self.desk = desk
        self.page = served_page(name, "review")
        super().__init__(port)

    def looked_at(self, path: str, query: Query) -> PageResponse:
        if path == "":
            return self.page
        if path == "api/rows":
            return PageResponse.json(self.desk.overview())
        if path == "api/row":
            return PageResponse.json(self.desk.row(query.get("id", [""])[0]))
        raise not_here()

    def sent(self, path: str, body: dict[str, Any]) -> PageResponse:
        if path == "api/decide":
            try:
                return PageResponse.json(self.desk.decide(body))
            except OutdatedPage as outdated:
                raise RequestRejected(
                    HTTPStatus.CONFLICT, f"{outdated.message[0].upper()}{outdated.message[1:]}."
                ) from None
        if path == "api/finish":
            self.stop()
            return PageResponse.json({"finished": True})
        raise not_here()
