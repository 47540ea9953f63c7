"""Our run beside other frameworks that send the same requests: `make bench-peers` (the first time 2 GB of downloads).

    python -m benchmarks.peers [--requests 2000] [--at-once 64 256] [--only datatrove curator] [--record]

Each peer is a script in `clients/` that an environment of its own runs, made under `.venv-peers/` with the versions below. It is
given a file of requests (the prompts of the pipeline `correction`), an address, a number of calls in flight and a folder, and
prints how many replies it has. Ours runs the whole pipeline over as many passages as make the same number of requests, so that
it alone also checks, keeps a journal and a ledger, and writes datasets and a report.

`CPU` is user and system time of the process and of its children from start to end, imports included, and `floor` its multiple
of bare aiohttp in the same run. `window` is from the first request that the server saw to its last answer, over the ideal
(requests x latency / at once). `lost` are requests without a reply.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, seen_by, served
from benchmarks.throughput import bodies

CLIENTS = Path(__file__).parent / "clients"
RESULT = ROOT / "benchmarks" / "results" / "peers.json"
ENVIRONMENTS = ROOT / ".venv-peers"
LATENCY = 0.2
AUGMENTOOLKIT = "https://github.com/e-p-armstrong/augmentoolkit"


@dataclass(frozen=True)
class Peer:
    """`script` lies in `clients/`; the first of `requirements` is what is measured, the others are what it needs and does not ask for."""

    script: str
    requirements: tuple[str, ...]


PEERS = {
    "aiohttp": Peer("aiohttp_loop.py", ("aiohttp==3.14.5",)),
    "datatrove": Peer(
        "datatrove_runner.py", ("datatrove==0.10.1", "orjson", "xxhash", "aiosqlite", "aiofiles", "httpx")
    ),
    "curator": Peer("curator_llm.py", ("bespokelabs-curator==0.1.31",)),
    "data-designer": Peer("data_designer_create.py", ("data-designer==0.9.6",)),
    "synthetic-data-kit": Peer("synthetic_data_kit_client.py", ("synthetic-data-kit==0.0.5",)),
    "augmentoolkit": Peer("augmentoolkit_engine.py", ("openai==1.109.1", "cohere==5.20.0", "httpx==0.28.1")),
}


def environment(name: str) -> Path:
    """Its interpreter; made where it is not there yet."""
    folder = ENVIRONMENTS / name
    python, done = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(PEERS[name].requirements)
    if not done.is_file() or done.read_text() != wanted:
        print(f"installing {wanted.splitlines()[0]} into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS[name].requirements]
        subprocess.run(install, check=True)
        done.write_text(wanted)
    return python


def augmentoolkit() -> Path:
    """Its repository; AUGMENTOOLKIT names a clone or another address. It is no package, so a commit stands for a version."""
    given = os.environ.get("AUGMENTOOLKIT", AUGMENTOOLKIT)
    if Path(given, "augmentoolkit").is_dir():
        return Path(given)
    folder = ENVIRONMENTS / "augmentoolkit-source"
    if not folder.is_dir():
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", given, folder], check=True)
    return folder


def version(name: str) -> str:
    if name == "ours":
        return _commit(ROOT)
    return f"engine of {_commit(augmentoolkit())}" if name == "augmentoolkit" else PEERS[name].requirements[0]


def _commit(folder: Path) -> str:
    told = subprocess.run(
        ["git", "-C", folder, "log", "-1", "--format=%h"], stdout=subprocess.PIPE, text=True, check=True
    )
    return told.stdout.strip()


def command(name: str, prompts: Path, base_url: str, at_once: int, folder: Path, requests: int) -> list[str | Path]:
    if name == "ours":
        given = ["--client", "ours", "--chunks", str(requests // 2), "--concurrency", str(at_once)]
        return [sys.executable, "-m", "benchmarks.throughput", *given, "--base-url", base_url]
    return [environment(name), CLIENTS / PEERS[name].script, prompts, base_url, str(at_once), folder]


def measure(name: str, requests: int, at_once: int) -> dict[str, Any]:
    """One client against a server of its own."""
    surroundings = os.environ | ({"AUGMENTOOLKIT": str(augmentoolkit())} if name == "augmentoolkit" else {})
    with tempfile.TemporaryDirectory() as folder, served(["--latency", str(LATENCY)]) as base_url:
        prompts = Path(folder, "prompts.jsonl")
        prompts.write_text("".join(json.dumps(body) + "\n" for body in bodies(requests // 2)))
        run = command(name, prompts, base_url, at_once, Path(folder), requests)
        return _ended(run, surroundings, base_url, requests, at_once)


def _ended(
    run: list[str | Path], surroundings: dict[str, str], base_url: str, requests: int, at_once: int
) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(run, cwd=ROOT, env=surroundings, stdout=told, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        lines = told.read().strip().splitlines()
    seen = seen_by(base_url)
    if process.returncode:
        raise SystemExit("\n".join([*lines[-15:], f"{run[1]} ended with {process.returncode}"]))
    last = json.loads(lines[-1])
    replies = 2 * last["kept"] if isinstance(last, dict) else last
    return {
        "window": round((seen["last"] - seen["first"]) / (requests * LATENCY / at_once), 2),
        "cpu_ms": round((used.ru_utime + used.ru_stime) / requests * 1000, 2), "peak_mb": round(used.ru_maxrss / 1024),
        "sent": seen["requests"], "in_flight": seen["most_in_flight"], "lost": requests - replies,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--at-once", type=int, nargs="+", default=[64, 256])
    parser.add_argument(
        "--only", nargs="+", default=list(PEERS), choices=list(PEERS), help="peers beside ours and aiohttp"
    )
    parser.add_argument(
        "--record", action="store_true", help=f"write {RESULT.relative_to(ROOT)}, then `bench --write` the table"
    )
    arguments = parser.parse_args()
    names = ["aiohttp", "ours", *(name for name in arguments.only if name != "aiohttp")]
    for name in names:
        if name != "ours":
            environment(name)
    before, rows = os.getloadavg()[0], []
    print(f"load {before:.1f} on {os.cpu_count()} cores; {arguments.requests} requests of {LATENCY * 1000:.0f} ms")
    print(f"{'client':<20}at once  window/ideal  CPU ms/request  floor  peak MB    sent  in flight  lost")
    for at_once in arguments.at_once:
        floor = 0.0
        for name in names:
            made = measure(name, arguments.requests, at_once)
            floor = floor or made["cpu_ms"]
            row = {
                "client": name,
                "version": version(name),
                "at_once": at_once,
                **made,
                "floor": round(made["cpu_ms"] / floor, 1),
            }
            rows.append(row)
            print(
                f"{name:<20}{at_once:>7}{made['window']:>14.2f}{made['cpu_ms']:>16.2f}{row['floor']:>7.1f}{made['peak_mb']:>9}"
                f"{made['sent']:>8}{made['in_flight']:>11}{made['lost']:>6}",
                flush=True,
            )
    if arguments.record:
        RESULT.write_text(json.dumps(_recorded(arguments.requests, rows, before), indent=1) + "\n")


def _recorded(requests: int, rows: list[dict[str, Any]], before: float) -> dict[str, Any]:
    return {
        "commit": _commit(ROOT), "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(), "python": platform.python_version(), "requests": requests,
        "load": [round(before, 1), round(os.getloadavg()[0], 1)], "rows": rows,
    }  # fmt: skip


if __name__ == "__main__":
    main()
