"""The eighteen defects of Augmentoolkit's correction pipeline, each proven there by running it: none may come back.
Every test would have failed there."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path

import pytest
import yaml

from augment_correction.errors import ExitCode, Reject
from augment_correction.export import ChatTemplate
from augment_correction.export.segments import segments
from augment_correction.parsing import read_tags, read_verdict
from augment_correction.progress import _Lines
from augment_correction.records import Conversation, Turn
from augment_correction.runner import RunState, StageCounts, estimate, run_async
from augment_correction.sampling import Sampling
from tests.projects import MadeProject, ended, prices
from tests.servers import ModelServer, conversation_about, facts, fails, says, stalls, tagged

CHATML = "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
PLAIN = (
    "{{ bos_token }}{% for m in messages %}{{ 'Human: ' if m.role == 'user' else 'AI: ' }}{{ m.content }}"
    " **Finished.**\n{% endfor %}"
)


def conversation(question: str, flawed: str, doubt: str, correct: str) -> Conversation:
    asked = (Turn("user", question, True), Turn("assistant", flawed, False))
    turns = (*asked, Turn("user", doubt, True), Turn("assistant", correct, True))
    return Conversation("id", "correct_after_mistake", turns, True)


def masked(made: Conversation, template: str = CHATML, bos: str = "") -> list[str]:
    return [each.text for each in segments(made, ChatTemplate("t", template, bos)) if not each.label]


def test_1_a_rejected_passage_is_not_generated(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(4))
    project.write("inputs/contents.txt", "Table of contents. One, page 1. Two, page 2. Three, page 3. Four, page 4.")
    assert project.run(server).kept == 4
    assert server.count("small") == 5
    assert server.passages("large").keys() == set(facts(range(4)))


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("Verdict: suitable", True),
        ("Not suitable.", False),
        ("Verdict: unsuitable", False),
        ("This is not unsuitable.", True),
        ("There is no table of contents here, so it is suitable.", True),
    ],
)
def test_2_verdicts_mean_what_they_say(reply: str, kept: bool) -> None:
    assert read_verdict(reply, "suitable", "unsuitable")[0] is kept


def test_3_a_draft_is_not_the_answer() -> None:
    reply = "<think><a>draft</a></think><a>first try</a> Better: <a>answer</a>"
    assert read_tags(reply, ["a"]) == {"a": "answer"}
    with pytest.raises(Reject):
        read_tags("<think><a>draft</a>", ["a"])


def test_4_a_slow_reply_is_waited_for_as_long_as_the_config_says_and_never_vanishes(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(3))
    server.where("Ander1", stalls(1.0), model="large")
    assert project.run(server, api={"large_timeout": 30}).kept == 3
    shutil.rmtree(project.output)
    result = project.run(server, api={"large_timeout": 0.3, "large_retries": 0})
    assert (result.kept, result.counts["failed"]) == (2, 1)
    assert "no reply within 0.3 s" in project.rejected()[0]["detail"]
    small = project.tokens("small")
    assert small["requests"] == 3  # the filter's call for it was paid and is in the books


def test_5_an_item_is_asked_a_bounded_number_of_times_and_a_failed_run_is_no_success(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts([1])
    server.then(says())
    server.usual = fails(500)
    result = project.run(server, api={"large_retries": 2})
    assert server.count("large") == 3
    assert result.exit_code == ExitCode.REJECTS
    assert not (project.output / "axolotl_correction_conversations.json").exists()


def test_6_a_killed_run_loses_nothing_that_was_answered(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(12))
    project.config(server, system={"concurrency_limit": 2})
    server.delay = 0.05
    process = project.start()
    server.wait_for(16, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    asked = server.questions()
    server.forget()
    assert project.again().kept == 12
    assert len(server.questions() & asked) <= 4  # what two times two connections had in flight


def test_7_an_edited_file_gives_new_data(project: MadeProject, server: ModelServer) -> None:
    one, other = facts([1, 2])
    project.write("inputs/a.txt", one)
    project.run(server)
    project.write("inputs/a.txt", other)
    server.forget()
    project.run(server)
    assert server.passages("large") == {other: 1}
    assert conversation_about(other)["initial_question"] in json.dumps(project.dataset())
    assert len(project.dataset()) == 1


def test_8_a_file_that_sorts_first_moves_nothing(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3), "m.jsonl")
    project.run(server)
    before = project.dataset()
    project.facts([9], "a.jsonl")
    server.forget()
    project.run(server)
    assert server.count("large") == 1
    assert project.dataset()[1:] == before


@pytest.mark.parametrize(
    "texts",
    [
        ("Q?", "It has seven.", "Sure?", "I said: It has seven. That was wrong."),
        ("No?", "No", "No.", "No, not No."),
        ("same", "same", "same", "same"),
        ("Q?", "", "Sure?", "Yes."),
    ],
)
@pytest.mark.parametrize(
    ("template", "before", "end"),
    [
        (CHATML, "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>\n"),
        (PLAIN, "Human: {} **Finished.**\nAI: ", " **Finished.**\n"),
    ],
)
def test_9_a_mistake_that_is_quoted_short_or_empty_is_found_at_its_place(
    texts: tuple[str, str, str, str], template: str, before: str, end: str
) -> None:
    first, mistake, last = segments(conversation(*texts), ChatTemplate("t", template))
    assert [first.label, mistake.label, last.label] == [True, False, True]
    assert first.text + mistake.text == before.format(texts[0]) + texts[1] + end
    assert mistake.text.strip() == (texts[1] + end).strip()


def test_10_the_end_of_turn_after_the_mistake_is_masked_and_bos_is_the_models_own() -> None:
    made = conversation("Q?", "Wrong.", "Sure?", "Right.")
    assert masked(made) == ["Wrong.<|im_end|>\n"]
    assert segments(made, ChatTemplate("t", CHATML))[0].text.startswith("<|im_start|>user")
    assert segments(made, ChatTemplate("t", CHATML, "<bos>"))[0].text.startswith("<bos><|im_start|>user")
    assert segments(made, ChatTemplate("t", CHATML))[-1].text.endswith("Right.<|im_end|>\n")


def test_11_no_cut_falls_after_a_space() -> None:
    made = conversation("Q?", "Wrong.", "Sure?", "Right.")
    pieces = [piece.text for piece in segments(made, ChatTemplate("t", PLAIN))]
    assert not [piece for piece in pieces[:-1] if piece.endswith(" ")]
    assert pieces[1].startswith(" Wrong.")
    assert "".join(pieces).startswith("Human: Q? **Finished.**\nAI: Wrong. **Finished.**\n")


def test_12_one_bad_line_costs_one_line(project: MadeProject, server: ModelServer) -> None:
    """Every reader's own hostile files are in tests/documents/."""
    one, other = facts([1, 2])
    project.write("inputs/A.JSONL", f"{json.dumps({'text': one})}\n{{broken\n{json.dumps({'text': other})}\n")
    project.write("inputs/book.epub", "PK\3\4 zip bytes")
    (project.root / "inputs" / "LATIN.TXT").write_bytes(
        "Die Brücke von Anderföhr hat neun Bögen aus Kalkstein.".encode("latin-1")
    )
    result = project.run(server, checks={"language": False})
    assert result.kept == 3
    unread = {row["source"]: row["reason"] for row in project.rejected()}
    assert set(unread) == {"A.JSONL#L2", "book.epub"}
    assert "Brücke von Anderföhr" in json.dumps(project.dataset(), ensure_ascii=False)


def test_13_passages_keep_their_structure_their_bounds_and_their_sources(
    project: MadeProject, server: ModelServer
) -> None:
    """The chunker's own properties are in tests/documents/test_chunking.py."""
    code = "# Counting\n\nHow the arches are counted:\n\n```python\nfor arch in bridge:\n    count += 1\n```\n"
    project.write("inputs/a.md", code)
    project.write("inputs/copy.md", code)
    project.write("inputs/short.txt", "Nine arches.")
    project.write("inputs/long.txt", "bridge " * 400)
    project.run(server, system={"chunk_size": 100})
    passages = server.passages("small")
    assert any("for arch in bridge:\n    count += 1" in passage for passage in passages)
    assert "Nine arches." in passages
    assert max(len(passage.split()) for passage in passages) <= 100
    assert set(passages.values()) == {1}


async def test_14_costs_are_the_servers_count_estimated_before_and_bounded(
    project: MadeProject, server: ModelServer
) -> None:
    cost = prices(1000, 1000, 1000, 1000)
    server.usual = says(usage={"prompt_tokens": 777, "completion_tokens": 111,
                               "completion_tokens_details": {"reasoning_tokens": 100}})  # fmt: skip
    project.facts(range(3))
    expected = (await estimate(project.load(server, cost=cost))).cost()
    assert expected is not None and expected > 1
    capped = await run_async(project.load(server, cost={**cost, "max_usd": 1}))
    assert capped.exit_code == ExitCode.BUDGET
    await run_async(project.load(server, cost=cost))
    large = project.tokens("large")
    assert (large["input_tokens"], large["output_tokens"], large["reasoning_tokens"]) == (2331, 333, 300)
    assert large["total_cost"] == pytest.approx(2.664)


def test_15_keys_and_prompts_stay_out_of_the_log(project: MadeProject, server: ModelServer) -> None:
    (text,) = project.facts([1])
    server.usual = fails(400, "no, sk-small-0123456789")
    project.config(server)
    process = project.start()
    server.wait_for(1, process)
    made = ended(process)
    assert made.code == ExitCode.REJECTS
    assert "sk-" not in made.out + made.err
    assert text not in made.out + made.err


def test_16_the_config_is_a_lora_that_axolotl_reads(project: MadeProject) -> None:
    project.facts(range(3))
    project.run()
    made = yaml.safe_load((project.output / "axolotl_lora.yaml").read_text())
    assert made["adapter"] == "lora"
    assert made["sequence_len"] == 4096
    assert "sequence_length" not in made
    assert made["datasets"][0]["type"] == "input_output"
    assert Path(made["datasets"][0]["path"]).name == "axolotl_correction_conversations.json"
    assert "<unk>" not in (project.output / "axolotl_lora.yaml").read_text()


def test_17_progress_is_by_stage_and_the_summary_tells_what_became_of_all(
    project: MadeProject, server: ModelServer
) -> None:
    state = RunState({"judgement": StageCounts("judgement", kept=3, rejected=1, in_flight=2)}, phase="running")
    assert "judgement 4 (3 kept, 1 rejected, 2 in flight)" in _Lines().line(state, None)
    project.facts(range(3))
    project.write("inputs/contents.txt", "Table of contents. One, page 1. Two, page 2. Three, page 3. Four, page 4.")
    project.config(server)
    out = project.command().out
    assert re.search(r"kept +3\n", out) and re.search(r"rejected +1\n +1 +judgement/unsuitable", out)
    assert "small model small: 4 requests, 0 retries" in out
    assert "cost" in out and "axolotl train" in out


def test_18_no_stop_strings_are_sent_and_more_than_four_cannot_be(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    project.run(server, system={"use_stop": True})
    assert not [asked for asked in server.asked if "stop" in asked.body]
    with pytest.raises(ValueError, match="at most 4"):
        Sampling(stop=("a", "b", "c", "d", "e"))


def test_tags_in_the_servers_form_are_what_the_parser_reads() -> None:
    """The tests' own server speaks the form that the shipped prompt asks for."""
    fields = conversation_about(facts([1])[0])
    assert read_tags(tagged(fields), list(fields)) == fields
