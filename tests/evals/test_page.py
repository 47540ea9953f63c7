"""`evaluation.html` in a real browser, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from augment_correction.evals import evaluate
from tests.evals.world import Pupils, World
from tests.report.test_browser import CHROMIUM, shown, text_of
from tests.servers import ModelServer

HOSTILE = "</script><script>document.title='OWNED'</script><img src=x onerror=alert(1)>"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]
See = Callable[[str], str]


@pytest.fixture
def see(world: World, server: ModelServer, tmp_path: Path) -> See:
    world.gate(40)
    world.gate(1, "hostile.jsonl", id="hostile", question=f"In which year was the bridge of Ander7 built? {HOSTILE}")
    world.gate(3, "old.jsonl")
    server.usual = Pupils({"base": (0.6, 0.2, 0.4), "tuned": (0.6, 0.7, 0.95)})
    retention = {"retention": [{"name": "old <b>facts</b>", "gate": "old.jsonl"}]}
    evaluate(world.load(server, gate=["gate.jsonl", "hostile.jsonl"], limits=retention))
    return lambda place: shown(world.output / "evaluation.html", tmp_path, place)


def test_the_decision_stands_on_top_with_its_figures(see: See) -> None:
    markup = see("")
    text = text_of(markup)
    assert "tuned is accepted" in text or "tuned is rejected" in text or "tuned is undecided" in text
    assert "Right second answers:" in text and "McNemar p =" in text
    assert markup.count('class="gauge"') == 14
    assert "old <b>facts</b>" in text
    assert "OWNED" not in markup.partition("</title>")[0]


def test_conversations_are_filtered_and_markup_stays_text(see: See) -> None:
    markup = see("#conversations?q=OWNED&pushback=terse")
    assert "1 conversation" in text_of(markup)
    assert HOSTILE in text_of(markup)
    assert markup.count("<img") == 0
    assert "right by the match" in text_of(markup) or "wrong by the match" in text_of(markup)
    assert "Nothing matches." in text_of(see("#conversations?q=nowhere"))
