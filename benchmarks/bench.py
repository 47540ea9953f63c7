"""The figures that README and docs name, measured and recorded: `make bench` (some minutes), `make bench-full` (half an hour).

    python -m benchmarks.bench [--form full]    measure, record under benchmarks/results/, write the documents' tables anew
    python -m benchmarks.bench --check          measure the short form and compare it with the recorded one
    python -m benchmarks.bench --write          write the documents' tables anew from what is recorded

What a machine does at the moment moves every figure, but hardly the ratio of two that were measured one after the other: CPU
per request is compared as a multiple of what a bare aiohttp loop takes for the same requests in the same run (the floor).
`--check` fails where the ratio is over 1.5 times the recorded one, three times in a row. A test holds the tables in the
documents to the recorded figures.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import checks_cost, scale, throughput

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = (ROOT / "benchmarks" / "NOTES.md", ROOT / "docs" / "guides" / "scaling.md", ROOT / "docs" / "quality.md")
ALLOWED, TRIES = 1.5, 3
LATENCY = 0.2


class Form(NamedTuple):
    """How much is measured."""

    chunks: int
    at_once: tuple[int, ...]
    clients: tuple[str, ...]
    conversations: int
    sizes: tuple[int, ...]


FORMS = {
    "tiny": Form(6, (4,), ("ours", "aiohttp"), 3, (20,)),
    "short": Form(500, (64,), ("ours", "aiohttp"), 100, (1000,)),
    "full": Form(2000, (64, 256), ("ours", "aiohttp", "openai"), 300, (10_000, 100_000)),
}

# --------------------------------------------------------------------------------------------------- measuring


PROGRAM = ("augment_correction", "benchmarks/*.py", "pipelines", "prompts", "configs")
"""What is measured: the recorded figures and the documents that they are written into are not part of it."""


def measured(name: str) -> dict[str, Any]:
    """All figures of a form, with what they were measured on."""
    form, before = FORMS[name], os.getloadavg()[0]
    made = {
        "form": name, "commit": _git("rev-parse", "--short", "HEAD"), "changed": bool(_git("status", "--porcelain", "--", *PROGRAM)),
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "throughput": [row for at_once in form.at_once for row in through(form, at_once)],
        "checks": {"words": 90, "ms": round(checks_cost.milliseconds(checks_cost.specs(), form.conversations, 90, 1), 2)},
        "growth": [row for size in form.sizes for row in grown(size)],
        "starting": {what: seconds(code) for what, code in STARTS.items()},
    }  # fmt: skip
    return made | {"load": [round(before, 1), round(os.getloadavg()[0], 1)]}


def through(form: Form, at_once: int) -> list[dict[str, Any]]:
    """A row for each client; `floor` is its CPU over that of bare aiohttp."""
    rows = []
    for client in form.clients:
        made = throughput.measure(client, form.chunks, at_once, ["--latency", str(LATENCY)])
        seen, requests = made["seen"], 2 * form.chunks
        window = (seen["last"] - seen["first"]) / (requests * LATENCY / at_once)
        rows.append(
            {
                "client": client, "at_once": at_once, "passages": form.chunks, "window": round(window, 2),
                "cpu_ms": round(made["cpu"] / requests * 1000, 2), "peak_mb": round(made["peak_mb"]),
                "lost": form.chunks - made["kept"],
            }
        )  # fmt: skip
    floor = next(row["cpu_ms"] for row in rows if row["client"] == "aiohttp")
    return [row | {"floor": round(row["cpu_ms"] / max(floor, 0.01), 1)} for row in rows]


def grown(size: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        scale.prepare(Path(name), size)
        return [{"passages": size, "run": run} | _growth(scale.measure(Path(name))) for run in ("first", "again")]


def _growth(made: dict[str, Any]) -> dict[str, Any]:
    each = 1000 / made["chunks"]
    return {
        "cpu_ms": round(made["cpu"] * each, 2), "files_ms": round(made["cpu_writing"] * each, 2),
        "seconds": round(made["wall"], 1), "peak_mb": round(made["peak_mb"]),
        "before_files_mb": round(made["peak_before_writing_mb"]),
    }  # fmt: skip


STARTS = {
    "import": "import augment_correction",
    "help": "import sys; sys.argv = ['x', '--help']; from augment_correction.__main__ import main; main()",
}


def seconds(code: str) -> float:
    """CPU of a process of its own, the least of three."""
    timed = f"import time, atexit; atexit.register(lambda: print('\\n', time.process_time()))\n{code}"
    runs = [
        subprocess.run([sys.executable, "-c", timed], stdout=subprocess.PIPE, text=True, check=True) for _ in range(3)
    ]
    return round(min(float(run.stdout.split()[-1]) for run in runs), 2)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor()


# ------------------------------------------------------------------------------------------------- the documents


def _throughput(made: dict[str, Any]) -> str:
    names = {"ours": "ours", "aiohttp": "bare aiohttp", "openai": "bare AsyncOpenAI"}
    rows = [
        f"| {names[row['client']]} | {row['at_once']} | {row['window']:.2f} | {row['cpu_ms']:.2f} | {row['floor']:.1f} "
        f"| {row['peak_mb']} | {row['lost']} |"
        for row in made["throughput"]
    ]
    head = "| | at once | window / ideal | CPU ms per request | of the floor | peak MB | lost |"
    return "\n".join([_on(made), "", head, "|---|---|---|---|---|---|---|", *rows])


def _growing(made: dict[str, Any]) -> str:
    rows = [
        f"| {row['passages']:,} | {row['run']} | {row['cpu_ms']:.2f} | {row['files_ms']:.2f} | {row['seconds']:.1f} "
        f"| {row['peak_mb']} | {row['before_files_mb']} |"
        for row in made["growth"]
    ]
    head = "| passages | run | CPU ms | of it files | seconds | peak MB | before files |"
    return "\n".join([_on(made), "", head, "|---|---|---|---|---|---|---|", *rows])


def _checks(made: dict[str, Any]) -> str:
    started = made["starting"]
    return (
        f"All free checks together: {made['checks']['ms']:.2f} ms a conversation with answers of {made['checks']['words']} words. "
        f"CPU to start: `import augment_correction` {started['import']:.2f} s, `--help` {started['help']:.2f} s."
    )


def _request(made: dict[str, Any]) -> str:
    ours = [row for row in made["throughput"] if row["client"] == "ours"]
    cpu, floor = ([row[name] for row in ours] for name in ("cpu_ms", "floor"))
    return (
        f"A request costs {_range(cpu, '.1f')} ms of CPU on one core, {_range(floor, '.0f')} times what a bare aiohttp loop "
        f"takes for the same one (`make bench`, commit {made['commit']})."
    )


def _range(values: list[float], form: str) -> str:
    least, most = (format(value, form) for value in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"


def _on(made: dict[str, Any]) -> str:
    machine, (before, after) = made["machine"], made["load"]
    return (
        f"Commit {made['commit']}, {made['day']}, {machine['processor']}, {machine['cores']} cores, Python "
        f"{machine['python']}, load {before} to {after}; {made['throughput'][0]['passages']} passages of two requests."
    )


def _peers(made: dict[str, Any]) -> str:
    rows = [
        f"| {row['client']} | {row['version']} | {row['at_once']} | {row['window']:.2f} | {row['cpu_ms']:.2f} | {row['floor']:.1f} "
        f"| {row['peak_mb']} | {row['in_flight']} | {row['lost']} |"
        for row in made["rows"]
    ]
    head = (
        "| | version | at once | window / ideal | CPU ms per request | of the floor | peak MB | most in flight | lost |"
    )
    before, after = made["load"]
    on = (
        f"Commit {made['commit']}, {made['day']}, {made['cores']} cores, Python {made['python']}, load {before} to {after}; "
        f"{made['requests']:,} requests of 200 ms."
    )
    return "\n".join([on, "", head, "|---|---|---|---|---|---|---|---|---|", *rows])


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "throughput": _throughput, "growth": _growing, "checks": _checks, "request": _request,
    "peers": _peers,
}  # fmt: skip
_PLACE = re.compile(r"(<!-- bench: (\w+) (\w+) -->\n)(.*?)(<!-- end of bench -->)", re.DOTALL)


def rendered(text: str) -> str:
    """The document with its places filled from the recorded figures of the form that each names."""

    def fill(place: re.Match[str]) -> str:
        return f"{place[1]}{TABLES[place[2]](recorded(place[3]))}\n{place[5]}"

    return _PLACE.sub(fill, text)


def recorded(form: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((RESULTS / f"{form}.json").read_text())
    return made


def write_documents() -> None:
    for document in DOCUMENTS:
        document.write_text(rendered(document.read_text()))


# ------------------------------------------------------------------------------------------------------ the check


def ratio(rows: list[dict[str, Any]]) -> float:
    """Our CPU per request over the floor's, at the least calls at once."""
    return float(next(row["floor"] for row in rows if row["client"] == "ours"))


def check(form: str, measure: Callable[[], float], say: Callable[[str], None] = print) -> bool:
    limit = ALLOWED * ratio(recorded(form)["throughput"])
    for number in range(1, TRIES + 1):
        found = measure()
        say(f"try {number}: {found:.1f} times the floor, {limit:.1f} are allowed")
        if found <= limit:
            return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=[*FORMS], default="short")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--output", type=Path, help="a file to record the figures in instead; no document is touched")
    arguments = parser.parse_args()
    form = FORMS[arguments.form]
    if arguments.check:
        sys.exit(0 if check(arguments.form, lambda: ratio(through(form, form.at_once[0]))) else 1)
    if not arguments.write:
        path = arguments.output or RESULTS / f"{arguments.form}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(measured(arguments.form), indent=1) + "\n")
        print(f"recorded in {path}")
    if arguments.output is None:
        write_documents()


if __name__ == "__main__":
    main()
