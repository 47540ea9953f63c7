"""One run with a real model in this machine: its structure, not its quality."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augment_correction import load_config, run
from augment_correction.errors import ExitCode

CONFIG = """
pipeline: embedded_test
api:
  large_model: smollm2-135m
  large_mode: embedded
  large_timeout: 300
path: {input_dir: ./inputs, output_dir: ./outputs}
system: {chunk_size: 200, prompt_template: chatml}
"""

# A model of 135 million parameters cannot hold to the shipped pipeline's rules; this one asks for less.
PIPELINE = """
name: embedded_test
stages:
  - stage: chunk
  - stage: ask
    name: all
    model: large
    prompt: all
    reply: json
    fields: [question, wrong, doubt, right]
    sampling: {temperature: 0.0, max_tokens: 300}
  - stage: compose
    kind: correct_after_mistake
    turns:
      - {role: user, text: question}
      - {role: assistant, text: wrong, is: mistake}
      - {role: user, text: doubt}
      - {role: assistant, text: right, is: correction}
"""

PROMPT = """{% user %}
Text: {{ passage }}

Reply with JSON of four short sentences: a question about the text, a wrong answer, a doubt, the right answer.
{% enduser %}"""


@pytest.mark.embedded
def test_a_run_with_the_embedded_model_keeps_its_promises(tmp_path: Path) -> None:
    for name, text in (
        ("config.yaml", CONFIG),
        ("pipelines/embedded_test.yaml", PIPELINE),
        ("prompts/all.jinja", PROMPT),
        ("inputs/bees.txt", "A colony holds 50,000 bees in summer. The queen lays 1,500 eggs a day."),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    result = run(load_config(tmp_path / "config.yaml"))
    tokens = result.tokens["large"]
    assert tokens["requests"] >= 1
    assert tokens["input_tokens"] > 30 and tokens["estimated_requests"] == 0, "the server's own usage"
    assert result.counts["kept"] + result.counts["rejected"] == 1
    story = next((tmp_path / "outputs" / "debug_outputs" / "bees.txt").glob("*.md")).read_text()
    assert "1,500 eggs" in story and "### Replied" in story
    if result.exit_code is ExitCode.DONE:
        rows = json.loads(result.dataset.read_text())  # type: ignore[union-attr]
        assert [segment["label"] for segment in rows[0]["segments"]] == [True, False, True]
