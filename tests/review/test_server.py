"""Nobody but the reviewer's own page decides anything, and a decision that cannot be is refused with a sentence."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.results.decisions import Decisions, ReviewDecision
from augment_correction.results.finished import open_run, read_conversations
from augment_correction.review.desk import Desk
from augment_correction.review.local import PageResponse
from augment_correction.review.server import ReviewServer
from tests.projects import MadeProject
from tests.review.reviewing import reviewing


@pytest.fixture
def server(project: MadeProject) -> Iterator[ReviewServer]:
    project.facts(range(3))
    project.run(shares={"kind": {"correct_after_mistake": 1, "self_noticed": 1}}, system={"seed": 5})
    with open_run(project.output) as made, ReviewServer(Desk(made), "out") as served:
        thread = Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def asked(
    server: ReviewServer, path: str, body: Any = None, *, method: str = "", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """`path` below the token, or from / on."""
    whole = path if path.startswith("/") else f"/{server.token}/{path}"
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
    usual = {"Origin": server.origin, "Content-Type": "application/json"} if data is not None else {}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method or ("GET" if data is None else "POST"), whole, data, {**usual, **given})
    reply = connection.getresponse()
    made = reply.status, dict(reply.getheaders()), reply.read()
    connection.close()
    return made


def decided(server: ReviewServer, **values: Any) -> tuple[int, dict[str, Any]]:
    status, _, body = asked(server, "api/decide", values)
    return status, orjson.loads(body)


def first(server: ReviewServer, kind: str = "correct_after_mistake") -> str:
    return next(entry.id for entry in server.desk.entries if entry.kind == kind)


class TestWhoIsLetIn:
    def test_the_page_and_its_policy(self, server: ReviewServer) -> None:
        status, headers, body = asked(server, "")
        policy = headers["Content-Security-Policy"]
        assert status == 200 and b"<title>out: review</title>" in body
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert "connect-src 'self'" in policy and "file:" not in policy
        assert headers["Referrer-Policy"] == "no-referrer" and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store" and "Python" not in headers["Server"]

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/wrong/",
            "/wrong/api/rows",
            "/api/rows",
            "//api/rows",
            "/%2e/api/rows",
            "/\xff/".encode().decode("latin-1"),
        ],
    )
    def test_not_without_the_token(self, server: ReviewServer, path: str) -> None:
        status, _, body = asked(server, path.encode("ascii", "ignore").decode() or "/")
        assert status == 403 and server.token.encode() not in body

    def test_not_under_another_name(self, server: ReviewServer) -> None:
        """A page of another site may make its own name lead to this machine."""
        for host in ("evil.example", f"evil.example:{server.server_port}", "localhost", ""):
            assert asked(server, "api/rows", Host=host)[0] == 403
        assert asked(server, "api/rows")[0] == 200

    def test_not_for_another_site(self, server: ReviewServer) -> None:
        body = {"conversation": first(server), "action": "approve"}
        assert asked(server, "api/decide", body, Origin="http://evil.example")[0] == 403
        assert asked(server, "api/decide", body, Origin="null")[0] == 403
        assert asked(server, "api/decide", body, Origin=f"http://127.0.0.1:{server.server_port + 1}")[0] == 403
        assert asked(server, "api/decide", body, Sec_Fetch_Site="cross-site")[0] == 403
        assert asked(server, "api/rows", Sec_Fetch_Site="same-site")[0] == 403
        assert asked(server, "api/decide", body, Content_Type="text/plain")[0] == 415
        assert asked(server, "api/finish", {}, Origin="http://evil.example")[0] == 403
        assert server.desk.overview()["counts"]["open"] == 3

    def test_nothing_else_is_there(self, server: ReviewServer) -> None:
        for path in ("../journal.sqlite", "api/", "journal.sqlite", "api/rows/x"):
            assert asked(server, path)[0] == 404
        assert asked(server, "", method="PUT")[0] == 501 and asked(server, "api/rows", b"{}")[0] == 404

    def test_a_body_that_is_too_long_or_no_decision(self, server: ReviewServer) -> None:
        assert asked(server, "api/decide", b"x", Content_Length=str((1 << 20) + 1))[0] == 413
        assert asked(server, "api/decide", b"x", Content_Length="-1")[0] == 413
        assert asked(server, "api/decide", b"{")[0] == 400
        assert asked(server, "api/decide", [1])[0] == 400


class TestWhatGoesWrong:
    def test_an_address_that_cannot_be_read(self, server: ReviewServer, capfd: pytest.CaptureFixture[str]) -> None:
        assert asked(server, "/../[", Host=f"127.0.0.1:{server.server_port}")[0] == 403
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as browser:
            host = f"Host: 127.0.0.1:{server.server_port}\r\nConnection: close\r\n\r\n"
            browser.sendall(f"GET http://[/ HTTP/1.1\r\n{host}".encode())
            assert browser.recv(100).startswith(b"HTTP/1.1 400 ")
        assert capfd.readouterr().err == ""

    def test_a_fault_of_the_program_is_told_to_the_page(
        self, server: ReviewServer, capfd: pytest.CaptureFixture[str]
    ) -> None:
        server.desk = None  # type: ignore[assignment]
        status, _, body = asked(server, "api/rows")
        assert status == 500 and "the program failed" in orjson.loads(body)["error"]
        assert "AttributeError" in capfd.readouterr().err

    def test_a_browser_that_goes_away_is_no_fault(
        self, server: ReviewServer, capfd: pytest.CaptureFixture[str]
    ) -> None:
        server.page = PageResponse(b"x" * (1 << 24))
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as browser:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            browser.sendall(f"GET /{server.token}/ HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode())
            browser.recv(10)
        until = time.monotonic() + 10
        while any("process_request_thread" in thread.name for thread in threading.enumerate()):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert capfd.readouterr().err == ""


class TestDeciding:
    def test_each_decision_is_kept_at_once_and_counted(self, server: ReviewServer, project: MadeProject) -> None:
        id_ = first(server)
        status, told = decided(server, conversation=id_, action="reject", reason=" wrong year ")
        assert (status, told["state"], told["reason"]) == (200, "rejected", "wrong year")
        assert told["counts"] == {"open": 2, "approved": 0, "rejected": 1, "ask_again": 0, "edited": 0, "all": 3}
        standing = Decisions(project.output / "decisions.jsonl").of(id_)
        assert standing and standing.reason == "wrong year"
        assert [row[4] for row in orjson.loads(asked(server, "api/rows")[2])["rows"] if row[0] == id_] == ["rejected"]

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            ({"action": "approve"}, "no conversation ''"),
            ({"conversation": "nobody", "action": "approve"}, "no conversation 'nobody'"),
            ({"conversation": "ID", "action": "like"}, "no action is called 'like'"),
            ({"conversation": "ID", "action": "edit", "turn": 9, "text": "x"}, "no turn 9"),
            ({"conversation": "ID", "action": "edit", "turn": True, "text": "x"}, "no turn True"),
            ({"conversation": "ID", "action": "edit", "turn": 0, "text": "  "}, "must not be empty"),
            ({"conversation": "ID", "action": "edit", "turn": 0, "text": "x", "mistake": "y"}, "no masked beginning"),
            ({"conversation": "ID", "action": "edit", "turn": 0, "text": 7}, "text must be a text"),
        ],
    )
    def test_what_cannot_be_is_refused(self, server: ReviewServer, values: dict[str, Any], why: str) -> None:
        given = {name: first(server) if value == "ID" else value for name, value in values.items()}
        status, told = decided(server, **given)
        assert status == 422 and why in told["error"]

    def test_an_edit_is_shown_and_its_mask_looked_at(self, server: ReviewServer, project: MadeProject) -> None:
        id_ = first(server)
        status, told = decided(server, conversation=id_, action="edit", turn=3, text="No: in 1911.")
        assert status == 200 and told["edited"] and "mask placed" in told["proof"]
        row = orjson.loads(asked(server, f"api/row?id={id_}")[2])
        assert [turn["text"] for turn in row["turns"]][3] == "No: in 1911." and row["turns"][3]["edited"]
        assert decided(server, conversation=id_, action="undo")[1]["edited"] is False

    def test_a_masked_beginning_stays_one(self, server: ReviewServer, project: MadeProject) -> None:
        id_ = first(server, "self_noticed")
        assert decided(server, conversation=id_, action="edit", turn=1, text="Wait: 100.", mistake="")[0] == 422
        assert decided(server, conversation=id_, action="edit", turn=1, text="Wait: 100.", mistake="At 90.")[0] == 200
        turn = next(row for row in read_conversations(project.output) if row.id == id_).turns[1]
        assert (turn.text, turn.masked) == ("At 90. Wait: 100.", 6)

    def test_a_page_that_shows_an_earlier_state_replaces_nothing(
        self, server: ReviewServer, project: MadeProject
    ) -> None:
        entry = server.desk.entries[0]
        seen = orjson.loads(asked(server, f"api/row?id={entry.id}")[2])["seen"]
        told = decided(server, conversation=entry.id, action="reject", seen=seen)[1]
        for values in ({"action": "approve"}, {"action": "undo"}, {"action": "edit", "turn": 0, "text": "Else?"}):
            status, refused = decided(server, conversation=entry.id, seen=seen, **values)
            assert status == 409 and "meanwhile" in refused["error"]
        assert orjson.loads(asked(server, f"api/row?id={entry.id}")[2])["state"] == "rejected"
        assert decided(server, conversation=entry.id, action="approve", seen=told["seen"])[1]["state"] == "approved"

    def test_what_another_run_has_left_out_meanwhile_is_not_decided_about(
        self, server: ReviewServer, project: MadeProject
    ) -> None:
        entry, *others = server.desk.entries
        project.facts(range(1, 3))
        project.again()
        for action in ("approve", "ask_again", "edit"):
            status, told = decided(server, conversation=entry.id, action=action, turn=0, text="Else?")
            assert status == 422 and "the run was made again meanwhile" in told["error"]
        assert asked(server, f"api/row?id={entry.id}")[0] == 422
        assert decided(server, conversation=others[0].id, action="approve")[0] == 200

    def test_another_reviewers_decisions_are_seen(self, server: ReviewServer, project: MadeProject) -> None:
        entry = server.desk.entries[0]
        Decisions(project.output / "decisions.jsonl").add(ReviewDecision(entry.id, entry.passage, "approve", by="Bo"))
        assert orjson.loads(asked(server, "api/rows")[2])["counts"]["approved"] == 1


def test_a_run_without_conversations_has_nothing_to_review(project: MadeProject) -> None:
    project.write("inputs/a.txt", "Table of contents. One, page 1. Two, page 2. Three, page 3. Four, page 4.")
    project.run()
    with open_run(project.output) as made, pytest.raises(InputError, match="no conversations to review"):
        Desk(made)


def test_what_was_decided_is_applied_on_ctrl_c_and_by_apply(project: MadeProject) -> None:
    from tests.cli.program import program

    project.facts(range(3))
    project.run()
    with reviewing(project, "--author", "Ida") as review:
        parts = urlsplit(review.address)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", f"{parts.path}api/rows")
        ids = [row[0] for row in orjson.loads(connection.getresponse().read())["rows"]]
        body = orjson.dumps({"conversation": ids[0], "action": "reject", "reason": "wrong"})
        headers = {"Origin": f"http://{parts.netloc}", "Content-Type": "application/json"}
        connection.request("POST", f"{parts.path}api/decide", body, headers)
        assert connection.getresponse().status == 200
        done = review.interrupted()
    assert done.code == 0 and "2 conversations are now in the dataset" in done.out
    assert [row["id"] for row in project.dataset()] == ids[1:]
    passage = next(row.provenance["chunk_id"] for row in read_conversations(project.output) if row.id == ids[1])
    Decisions(project.output / "decisions.jsonl").add(ReviewDecision(ids[1], passage, "reject"))
    again = program("review", str(project.output), "--apply", cwd=project.root)
    assert again.code == 0 and "1 conversations are now in the dataset" in again.out
    assert [row["id"] for row in project.dataset()] == ids[2:]
