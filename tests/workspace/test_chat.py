"""Chats: a reply is streamed, stopped, asked again; what is private stays so; nothing that was shown is lost."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from augment_correction.corrections.importing import read_remarks
from augment_correction.records import Message
from augment_correction.workspace.answering import shorter
from augment_correction.workspace.tables import ChatMessage, now
from tests.workspace.places import Person, Place

SCRIPT = """
rules:
  - {contains: Halmstett, text: "The **museum of Halmstett** was opened by Otto Meier in 1911."}
  - {contains: code, text: "```python\\nprint('<b>')\\n```"}
  - {contains: Ander, text: "The **bridge** of Ander:\\n\\n```\\nnine = 9\\narches = nine\\n```\\n\\nIt was built of stone that came from the quarry of Talmar in 1911."}
  - {contains: think, text: "<think>some hidden thoughts of a model that thinks</think>Nine arches, and it has had them since it was built."}
delay: %s
"""


@pytest.fixture
def open_chat(open_place: Callable[..., Place], tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """A place whose model answers by a script; it lives in the loop of the client."""
    running = ExitStack()

    def open_(delay: float = 0.0, **more: object) -> Place:
        script = tmp_path / "script.yaml"
        script.write_text(SCRIPT % delay)
        place = open_place(model=str(script), **more)
        running.enter_context(place.live())
        return place

    with running:
        yield open_


def thread_of(person: Person) -> str:
    found = re.search(r'action="(/o/[^"]+/threads/[0-9a-f]{16})/title"', person.page)
    assert found, person.text
    return found[1]


def ask(person: Person, text: str, path: str = "") -> str:
    """The thread's path, when the reply has ended."""
    person.post(path or person.at("/threads"), {"text": text})
    assert person.status == 200, person.text
    return wait(person)


def wait(person: Person) -> str:
    path, end = thread_of(person), time.monotonic() + 30
    while "data-stream" in person.page:
        assert time.monotonic() < end
        time.sleep(0.05)
        person.get(path)
    return path


def test_a_question_is_answered_and_stays(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    path = ask(ada, "Who opened the museum of Halmstett?")
    assert "<strong>museum of Halmstett</strong> was opened by Otto Meier" in ada.page
    ask(ada, "And when, in Halmstett?", path)
    assert ada.page.count("Otto Meier") == 2
    again = place.person(ada.email)
    again.sign_in()
    assert "Who opened the museum" in again.get(path)


def test_blocks_come_as_events_and_a_lost_connection_begins_anew(open_chat: Callable[..., Place]) -> None:
    place = open_chat(delay=3)
    ada = place.owner()
    ada.post(ada.at("/threads"), {"text": "Tell me of Ander"})
    found = re.search(r'data-stream="([^"]+)"', ada.page)
    assert found
    with ada.client.stream("GET", found[1]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_of("".join(answer.iter_text()))
    assert [kind for kind, _ in events[:-1]] == ["blocks"] * (len(events) - 1) and len(events) > 4
    assert events[-1] == ("end", {})
    shown: list[str] = []
    for _, told in events[:-1]:
        shown[told["kept"] :] = re.findall(r"<(?:p|pre)>.*?</(?:p|pre)>", told["html"], re.DOTALL)
    assert shown[0] == "<p>The <strong>bridge</strong> of Ander:</p>" and shown[1].startswith("<pre><code>nine = 9")
    assert events[-2][1]["kept"] == 1  # what has ended is not sent again
    assert events_of(ada.client.get(found[1]).text) == [("end", {})]


def events_of(body: str) -> list[tuple[str, Any]]:
    made = [re.fullmatch(r"event: (\w+)\ndata: (.*)", block) for block in body.strip().split("\n\n")]
    return [(each[1], json.loads(each[2])) for each in made if each]


def test_reasoning_is_not_shown_while_it_is_thought(open_chat: Callable[..., Place]) -> None:
    place = open_chat(delay=3)
    ada = place.owner()
    ada.post(ada.at("/threads"), {"text": "Please think"})
    found = re.search(r'data-stream="([^"]+)"', ada.page)
    assert found
    body = ada.client.get(found[1]).text
    assert "hidden thoughts" not in body and "Nine" in body


def test_a_reply_is_stopped_and_keeps_what_it_said(open_chat: Callable[..., Place]) -> None:
    place = open_chat(delay=20)
    ada = place.owner()
    ada.post(ada.at("/threads"), {"text": "Who opened the museum of Halmstett?"})
    path = thread_of(ada)
    stop = re.search(r'action="([^"]+/stop)"', ada.page)
    assert stop
    time.sleep(4)
    ada.post(stop[1])
    assert "Stopped." in ada.text and "data-stream" not in ada.page
    time.sleep(1)
    shown = ada.get(path)
    assert "in 1911" not in shown and "The" in ada.text


def test_a_reply_is_asked_again_and_a_message_edited(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    path = ask(ada, "Tell me some code")
    assert "print('&lt;b&gt;')" in ada.page or "print(&#39;&lt;b&gt;&#39;)" in ada.page
    again = re.search(r'action="([^"]+/again)"', ada.page)
    assert again
    ada.post(again[1])
    wait(ada)
    assert ada.page.count('class="assistant"') == 1
    own = re.search(r"\?edit=([0-9a-f]{16})", ada.page)
    assert own
    ada.get(f"{path}?edit={own[1]}")
    assert "Send again" in ada.text
    ada.post(f"{path}/{own[1]}/edit", {"text": "And Halmstett?"})
    wait(ada)
    assert "Otto Meier" in ada.text and "some code" not in ada.page.split('class="messages"')[1]
    with place.site.database.as_system() as session:
        kept = session.execute(select(ChatMessage)).scalars().all()
        assert sum(each.replaced for each in kept) == 3 and len(kept) == 5  # nothing is thrown away


def test_private_chats_are_private_and_shared_ones_are_read_only(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    bob, eve = place.join(ada, "admin"), place.owner("Other Ltd", "Eve")
    path = ask(ada, "A secret about Halmstett")
    bob.get(path)
    assert bob.status == 404
    assert "secret" not in bob.get(ada.at("/threads?q=secret")).split("Nothing found")[0].split("</form>")[-1]
    ada.post(f"{path}/share", {"shared": "yes"})
    bob.get(path)
    assert bob.status == 200 and "A secret about Halmstett" in bob.text and "data-composer" not in bob.page
    assert "## Ada Owner, " in bob.get(f"{path}/export") and "## You" not in bob.page
    for action in ("", "/title", "/share", "/delete"):
        bob.post(path + action, {"text": "x", "title": "x", "shared": "no"})
        assert bob.status == 403, action
    eve.get(path)
    assert eve.status == 404
    eve.get(path.replace(ada.slug, eve.slug))
    assert eve.status == 404


def test_chats_are_found_renamed_exported_and_deleted(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    path = ask(ada, "Who opened the museum of Halmstett? 100%")
    ask(ada, "Something else")
    for wanted, there in (("halmstett", True), ("otto meier", True), ("100%", True), ("%", True), ("1_0", False)):
        listed = ada.get(ada.at("/threads"), params={"q": wanted}).split('aria-label="Chats"')[1].split("</aside>")[0]
        assert (path in listed) is there, wanted
    ada.post(f"{path}/title", {"title": "The <museum>"})
    assert "The &lt;museum&gt;" in ada.page
    assert ada.get(f"{path}/export").startswith("# The <museum>\n")
    ada.post(f"{path}/delete")
    ada.get(path)
    assert ada.status == 404
    with place.site.database.as_system() as session:
        assert session.execute(select(ChatMessage).where(ChatMessage.text.contains("100%"))).first() is None


def written(place: Place, *moments: str) -> None:
    """The messages, from the first one on, were written then."""
    with place.site.database.as_system(writes=True) as session:
        said = session.execute(select(ChatMessage).order_by(ChatMessage.position)).scalars()
        for message, moment in zip(said, moments, strict=False):
            message.created = datetime.fromisoformat(moment)


def test_a_message_tells_when_it_was_written_and_a_day_where_it_begins(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    path = ask(ada, "Who opened the museum of Halmstett?")
    assert ada.page.count("data-clock>") == 2 and 'class="day"' not in ada.page
    ask(ada, "And when, in Halmstett?", path)
    written(place, "2025-12-30T23:58:00Z", "2025-12-31T00:01:00Z", "2025-12-31T10:00:00Z")
    ada.get(path)
    assert '<time datetime="2025-12-30T23:58:00+00:00" data-clock>23:58 UTC</time>' in ada.page
    days = re.findall(r'<li class="day">(.*?)</li>', ada.page)
    assert days[:2] == ["Tuesday, 30 December 2025 (UTC)", "Wednesday, 31 December 2025 (UTC)"] and len(days) == 3


def test_an_export_tells_days_and_times(open_chat: Callable[..., Place], tmp_path: Path) -> None:
    place = open_chat()
    ada = place.owner()
    path = ask(ada, "Who opened the museum of Halmstett?", ask(ada, "Halmstett"))
    written(place, "2025-12-30T23:58:00Z", "2025-12-30T23:59:00Z", "2025-12-31T00:01:00Z", "2025-12-31T00:02:00Z")
    lines = [line for line in ada.get(f"{path}/export").splitlines() if line.startswith(("*", "#"))]
    assert lines == [
        "# Halmstett", "*Tuesday, 30 December 2025*", "## You, 23:58 UTC", "## Model, 23:59 UTC", "*Wednesday, 31 December 2025*",
        "## You, 00:01 UTC", "## Model, 00:02 UTC",
    ]  # fmt: skip
    row = json.loads(ada.get(f"{path}/export?form=jsonl"))
    assert [each["role"] for each in row["messages"]] == ["user", "assistant"] * 2
    assert row["times"] == [f"2025-12-3{rest}:00+00:00" for rest in ("0T23:58", "0T23:59", "1T00:01", "1T00:02")]
    file = tmp_path / "chat.jsonl"
    file.write_text(json.dumps(row))
    remarks, passed_over = read_remarks([file])
    assert len(remarks) == 1 and not passed_over


def test_a_reply_whose_server_is_gone_is_told_as_broken_off(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    path = ask(ada, "Who opened the museum of Halmstett?")
    with place.site.database.as_system(writes=True) as session:
        session.execute(
            update(ChatMessage)
            .where(ChatMessage.role == "assistant")
            .values(state="streaming", text="The museum", beat=now() - timedelta(minutes=1))
        )
    ada.get(path)
    assert "The museum" in ada.text and "stopped while it answered" in ada.text


def test_a_model_that_cannot_be_loaded_is_said_and_nothing_answers_in_its_place(
    open_place: Callable[..., Place], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = open_place(backend="local", model=str(tmp_path / "no-model"))
    with place.live():
        ada = place.owner()
        ask(ada, "Who are you?")
        assert "no-model" in ada.text and 'role="alert"' in ada.page
        assert "hf download" not in ada.text, "whoever chats cannot do it"
    assert "hf download" in capsys.readouterr().err


def test_the_daily_quota_is_kept(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    ada.post(ada.at("/settings"), {"name": "Bridges", "daily_messages": "2", "system_prompt": ""})
    path = ask(ada, "One")
    ask(ada, "Two", path)
    ada.post(path, {"text": "Three"})
    assert ada.status == 429 and "is 2, and you have had 2" in ada.text and ">Three</textarea>" in ada.page


def test_what_was_asked_in_a_deleted_chat_was_asked(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada, eve = place.owner(), place.owner("Other Ltd", "Eve")
    ada.post(ada.at("/settings"), {"name": "Bridges", "daily_messages": "1", "system_prompt": ""})
    path = ask(ada, "One")
    with place.site.database.as_system() as session:
        [reply] = session.execute(select(ChatMessage).where(ChatMessage.role == "assistant")).scalars()
    before = ada.get(ada.at("/usage"))
    ada.post(f"{path}/delete")
    ada.post(ada.at("/threads"), {"text": "Two"})
    assert ada.status == 429 and "is 1, and you have had 1" in ada.text
    ada.get(ada.at("/usage"))
    assert figures_of(ada.page) == figures_of(before) and str(reply.tokens_out) in ada.text
    with place.site.database.as_system() as session:
        assert not session.execute(select(ChatMessage)).first()
    assert "Ada" not in eve.get(eve.at("/usage"))


def figures_of(page: str) -> list[str]:
    return re.findall(r"<td[^>]*>([^<]*)</td>", page)


def test_comparing_versions_counts_as_asking(open_chat: Callable[..., Place]) -> None:
    place = open_chat()
    ada = place.owner()
    comparison = {"question": "Who opened it?", "one": "", "other": ""}
    ada.post(ada.at("/settings"), {"name": "Bridges", "daily_messages": "1", "system_prompt": ""})
    ada.post(ada.at("/versions/compare"), comparison)
    assert ada.status == 429
    ada.post(ada.at("/settings"), {"name": "Bridges", "daily_messages": "2", "system_prompt": ""})
    ada.post(ada.at("/versions/compare"), comparison)
    assert ada.status == 200
    ada.post(ada.at("/threads"), {"text": "One"})
    assert ada.status == 429 and "is 2, and you have had 2" in ada.text


def test_no_transaction_is_open_while_the_model_answers(open_chat: Callable[..., Place]) -> None:
    place = open_chat(delay=3)
    ada = place.owner()
    bob = place.join(ada, "member")
    ada.post(ada.at("/threads"), {"text": "Who opened the museum of Halmstett?"})
    open_for: list[float] = []
    begun: dict[int, float] = {}
    engine = place.site.database.engine
    event.listen(engine, "begin", lambda connection: begun.update({id(connection): time.monotonic()}))
    for name in ("commit", "rollback"):
        event.listen(
            engine,
            name,
            lambda connection: open_for.append(time.monotonic() - begun.pop(id(connection), time.monotonic())),
        )
    before = time.monotonic()
    bob.post("/account/name", {"name": "Bob the member"})
    assert bob.status == 200 and time.monotonic() - before < 3
    wait(ada)
    assert len(open_for) > 5 and max(open_for) < 2


def test_a_chat_that_outgrows_the_model_loses_its_beginning_first() -> None:
    system, said = Message("system", "s"), [Message(("user", "assistant")[n % 2], str(n)) for n in range(7)]
    one = shorter((system, *said))
    assert [each.content for each in one] == ["s", "4", "5", "6"]
    two = shorter(one)
    assert [each.content for each in two] == ["s", "6"]
    assert shorter(two) == two
