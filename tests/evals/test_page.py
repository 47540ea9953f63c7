"""`evaluation.html` in a real browser, where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from augment_correction.evals import evaluate
from tests.evals.probing import answering, probe_rows, untaught, write_probes
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
    assert "Right second answers:" in text and "by chance; wanted below 0.025 at look 1" in text
    assert markup.count('class="gauge"') == 14
    assert "old <b>facts</b>" in text
    assert "OWNED" not in markup.partition("</title>")[0]


def test_a_figure_of_few_documents_has_no_interval(world: World, server: ModelServer, tmp_path: Path) -> None:
    world.gate(8)
    server.usual = Pupils({"base": (0.5, 0.2, 0.4), "tuned": (0.6, 0.7, 0.9)})
    evaluate(world.load(server))
    found = world.report()["gate"]["against_base"]["tuned"]["all"]["difference"]["accuracy_t2"]
    assert found["value"] is not None and found["low"] is found["high"] is None
    text = text_of(shown(world.output / "evaluation.html", tmp_path, ""))
    assert "points (–)." in text and "measured on fewer than 5 documents" in text
    assert not any(each in text for each in ("NaN", "null", "undefined"))


def test_a_judge_s_verdicts_stand_there_with_their_reasons(world: World, server: ModelServer, tmp_path: Path) -> None:
    world.gate(2)
    server.usual = Pupils({"base": (1, 1, 1), "tuned": (0, 0, 0)})
    evaluate(world.load(server, judge=world.at(server, "judge"), grading={"by": "judge"}, pushbacks=["terse"]))
    page = world.output / "evaluation.html"
    assert text_of(shown(page, tmp_path, "")).count("pass rate, of all questions") == 2
    text = text_of(shown(page, tmp_path, "#conversations"))
    assert "right by the judge" in text and "wrong by the judge" in text
    assert text.count("The years were compared.") == 4


def test_conversations_are_filtered_and_markup_stays_text(see: See) -> None:
    markup = see("#conversations?q=OWNED&pushback=terse")
    assert "1 conversation" in text_of(markup)
    assert HOSTILE in text_of(markup)
    assert markup.count("<img") == 0
    assert "right by the match" in text_of(markup) or "wrong by the match" in text_of(markup)
    assert "Nothing matches." in text_of(see("#conversations?q=nowhere"))


class TestProbes:
    @pytest.fixture
    def see(self, world: World, server: ModelServer, tmp_path: Path) -> See:
        def tuned(probe: str, number: int, last: str) -> str | None:
            if probe == "paraphrase" and number == 2:
                return f"It was built in {1500 + number}."
            if probe == "health" and number == 2:
                return HOSTILE
            return "It was built in 1999." if probe == "neighbour" and number == 3 else None

        rows = probe_rows()
        rows[0]["question"] += f" {HOSTILE}"
        write_probes(world, rows)
        server.usual = answering(untaught, tuned)
        evaluate(world.load(server))
        return lambda place: shown(world.output / "evaluation.html", tmp_path, place)

    def test_a_gate_of_probes_alone_says_nothing_of_plain_questions(self, see: See) -> None:
        markup = see("")
        text = text_of(markup)
        assert "8 corrections probed. Corrected questions answered rightly: 0.0% by base, 100.0% by tuned" in text
        assert "Two answers to each question" not in text and "By pushback" not in text
        assert markup.count('class="gauge"') == 16 and "NaN" not in text and "undefined" not in text

    def test_each_correction_has_its_row_and_what_moved_elsewhere_is_named(self, see: See) -> None:
        markup = see("#probes")
        text = text_of(markup)
        assert markup.count('data-correction="') == 8 and markup.count("<img") == 0
        assert "OWNED" not in markup.partition("</title>")[0]
        [cedar] = re.findall(r'<tr data-correction="Cedar">.*?</tr>', markup, re.DOTALL)
        assert 'aria-label="base: 2 wrong"' in cedar and 'aria-label="tuned: 2 wrong"' in cedar
        assert 'aria-label="tuned: 1 right"' in cedar and 'aria-label="tuned: 2 of 5"' in cedar
        assert "1502 → 1702" in text_of(cedar)
        assert (
            "Right before, wrong now: 2" in text
            and "neighbour 1: in which year was the bridge of Dogwood built?" in text
        )
        assert "Wrong before, right now: 8" in text  # what follows from the corrections

    def test_its_answers_are_read_side_by_side(self, see: See) -> None:
        text = text_of(see("#conversations?correction=Cedar&set=probe%3A%20paraphrase"))
        assert "2 conversations" in text and "Retracted1502" in text
        markup = see("#conversations?correction=Cedar&set=probe%3A%20health")
        assert HOSTILE in text_of(markup) and markup.count("<img") == 0
        assert "11 conversations" in text_of(see("#conversations?correction=Cedar"))
