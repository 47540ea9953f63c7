"""The page of a run while it goes on: its own server, which ends with the run and lets nobody else in."""

from __future__ import annotations

import http.client
import re
import time
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.projects import MadeProject, ended
from tests.servers import ModelServer


def fetched(address: str, path: str = "") -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.request("GET", parts.path + path)
    reply = connection.getresponse()
    made = reply.status, reply.read()
    connection.close()
    return made


def state_of(address: str) -> dict[str, Any]:
    status, body = fetched(address, "api/state")
    assert status == 200, body
    made: dict[str, Any] = orjson.loads(body)
    return made


def test_a_run_is_watched_from_its_first_conversation_to_its_end(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(12))
    project.config(server, system={"concurrency_limit": 2})
    server.delay = 0.4
    process = project.start("--watch")
    assert process.stderr
    told = next(line for line in process.stderr if "watch: http://127.0.0.1:" in line)
    found = re.search(r"http://\S+", told)
    assert found
    address = found[0]
    assert b": live</title>" in fetched(address)[1]
    assert fetched(address.replace("/" + urlsplit(address).path.strip("/"), "/wrong"), "api/state")[0] == 403

    end = time.monotonic() + 60
    while not (state := state_of(address))["latest"]:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.1)
    assert not any(
        urlsplit(address).path in notice for notice in state["notices"]
    )  # who sees the page's picture may not open it
    assert state["finished"] < 12 and state["passages"] == 12
    assert {stage[0] for stage in state["stages"]} >= {"judgement", "masked_conversation"}
    latest = state["latest"][0]
    assert [turn["is"] for turn in latest["turns"]] == ["user", "mistake", "user", "correction"]
    status, report = fetched(address, "report.html")
    assert status == 200 and b"correction: report" in report
    assert fetched(address, "report_data/../journal.sqlite")[0] == 404
    server.delay = 0
    done = ended(process)
    assert done.code == 0, done.err
    assert len(project.dataset()) == 12 and (project.output / "report.html").is_file()
    left = {path.name for path in project.output.iterdir()}
    assert not any("live" in name or name == "report_data" for name in left)
