"""What `mode: vllm` promises, each proven by a real run. A proof returns a note, or raises `Broken`."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections import Counter

import orjson

from tests.projects import Ended, ended
from tests.vllm.world import ARGUMENTS, ASKING, PASSAGES, Project, Started, World, demand, until

GONE_WITHIN = 15.0
STARTING = re.compile(r"^starting vLLM with \S+: (\d+) s$", re.MULTILINE)
FIELDS = {"question": {"initial_question"}, "answers": {"flawed_answer", "followup_confirmation", "correct_answer"}}
ONE_QUESTION = f"""{ASKING}  - stage: compose
    kind: asked
    turns:
      - {{role: user, text: initial_question}}
      - {{role: assistant, text: initial_question, is: correction}}
"""


# ---------------------------------------------------------------------------------------------------- a whole run


def whole_run(world: World) -> str:
    project = world.project("whole")
    started = project.start()
    made = project.finish(started)
    demand(made.code == 0, (made.code, made.out, made.err))
    waited = [int(seconds) for seconds in STARTING.findall(made.err)]
    demand(waited, f"no progress while it starts: {made.err}")
    gone = started[1].gone_within(1.0)
    demand(gone is not None, started[1].left())
    counts = project.manifest()["counts"]
    demand(counts["chunks"] == PASSAGES and counts["kept"] > 0, counts)
    return f"{counts['kept']} of {PASSAGES} passages kept; last line of the wait at {max(waited)} s; nobody left"


def structured_replies(world: World) -> str:
    """Reads the run above."""
    calls = Project.named(world, "whole").calls()
    reasons = Counter(call["finish_reason"] for call in calls)
    demand(set(reasons) <= {"stop", "length"} and reasons["stop"], reasons)
    for call in calls:
        if call["finish_reason"] == "stop":
            read = orjson.loads(call["text"])
            demand(set(read) == FIELDS[call["stage"]] and all(isinstance(text, str) for text in read.values()), call)
        demand(not call["estimated"] and call["input"] > 20 and call["output"] > 0, call)
    demand(not Project.named(world, "whole").failures(), "the server refused something")
    said = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return f"{len(calls)} replies ({said}), {sum(call['output'] for call in calls)} tokens by the server's usage"


def one_server_with_its_log(world: World) -> str:
    """Reads the run above."""
    project = Project.named(world, "whole")
    demand(len(project.logs) == 1, project.logs)
    servers = project.log.count("Started server process")
    roles = {call["role"] for call in project.calls()}
    demand(servers == 1 and roles == {"small", "large"}, (servers, roles))
    demand(project.answered == len(project.calls()), (project.answered, len(project.calls())))
    return f"{project.logs[0].relative_to(project.output)}: one start, {project.answered} answers, both roles"


# -------------------------------------------------------------------------------------------- killed, interrupted


def killed_and_resumed(world: World) -> str:
    project = world.project("killed", concurrency=1)
    started = project.start()
    project.wait_for_calls(2, started)
    started[0].kill()
    ended(started[0])
    gone = started[1].gone_within(GONE_WITHIN)
    demand(gone is not None, started[1].left())
    paid, answered = {call["key"] for call in project.calls()}, project.answered
    made = project.finish(project.start())
    demand(made.code == 0, (made.code, made.out, made.err))
    new = [call for call in project.calls() if call["key"] not in paid]
    again = project.answered - answered
    demand(new and again == len(new), f"{again} asked by the second run, {len(new)} were missing")
    return f"server gone in {gone:.1f} s; {len(paid)} replies were paid, the next run asked the {again} missing ones"


def engine_killed(world: World) -> str:
    """As the machine does it to the largest process when memory runs out."""
    project = world.project("memory")
    started = project.start()
    project.wait_for_calls(1, started)
    [engine] = [each for each in started[1].look() if "EngineCore" in each.command]
    os.kill(engine.pid, signal.SIGKILL)
    begun = time.monotonic()
    made = ended(started[0], 120)
    demand(made.code == 2 and "Traceback" not in made.err, (made.code, made.err))
    demand(re.search("while it was in use.*EngineDeadError", _flat(made)), (made.out, made.err))
    gone = started[1].gone_within(GONE_WITHIN)
    demand(gone is not None, started[1].left())
    demand(project.manifest()["counts"]["chunks"], "no files of what there is")
    return f"the run stopped after {time.monotonic() - begun:.1f} s with exit 2, the log's tail and valid files"


def watchdog_killed(world: World) -> str:
    """vLLM ends its engine, and itself when nobody is connected any more: when the calls in flight have timed out."""
    project = world.project("unwatched", timeout=20)
    started = project.start()
    project.wait_for_calls(1, started)
    [watchdog] = [each for each in started[1].look() if "watchdog.py" in each.command]
    os.kill(watchdog.pid, signal.SIGKILL)
    begun = time.monotonic()
    made = ended(started[0], 120)
    demand(made.code == 2 and "Traceback" not in made.err, (made.code, made.err))
    seconds = time.monotonic() - begun
    gone = started[1].gone_within(GONE_WITHIN)
    demand(gone is not None, started[1].left())
    return f"the run stopped after {seconds:.1f} s with exit 2, the server {gone:.1f} s later"


def _starting(world: World, name: str) -> Started:
    """A run whose vLLM has come as far as an engine process of its own."""
    started = world.project(name).start()

    def engine() -> bool:
        demand(started[0].poll() is None, "it ended before")
        return any("EngineCore" in each.command for each in started[1].look())

    until(engine, "no engine was started")
    return started


def interrupted(world: World, *, times: int = 1) -> str:
    process, family = _starting(world, f"interrupted-{times}")
    begun = time.monotonic()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    made = ended(process)
    seconds = time.monotonic() - begun
    demand(made.code == 130 and "Traceback" not in made.err, (made.code, made.err))
    demand("run the same command again" in made.err + made.out, (made.out, made.err))
    gone = family.gone_within(GONE_WITHIN)
    demand(gone is not None, family.left())
    return f"exit 130 after {seconds:.1f} s, nobody left {gone:.1f} s later"


# -------------------------------------------------------------------------------------------------- does not start


def _flat(made: Ended) -> str:
    """What it said, without the line breaks of a narrow terminal."""
    return " ".join((made.out + made.err).split())


def _refused(made: Ended, project: Project, cause: str) -> str:
    demand(made.code == 2 and "Traceback" not in made.err, (made.code, made.err))
    told = _flat(made)
    demand(re.search(cause, told), made.err)
    demand("exit code 1 before it was ready" in told and project.logs[0].name in told.replace(" ", ""), made.err)
    lines = [line for line in made.err.splitlines() if re.search(cause, line)]
    return re.sub(r"^.*\] ", "", (lines or [cause])[-1].strip("| "))[:110]


def wrong_name(world: World) -> str:
    project = world.project("wrong-name", model="no-such/model")
    return _refused(project.finish(project.start()), project, "LocalEntryNotFoundError|not a valid model|RepoId")


def broken_weights(world: World) -> str:
    """The cause stands in the engine's log, a hundred lines above the server's end."""
    folder = world.root / "broken-model"
    folder.mkdir()
    for file in world.model.glob("*.json"):
        (folder / file.name).symlink_to(file)
    with (world.model / "model.safetensors").open("rb") as weights:
        (folder / "model.safetensors").write_bytes(weights.read(1_000_000))
    project = world.project("broken", model=str(folder))
    return _refused(project.finish(project.start()), project, "SafetensorError")


def port_taken(world: World) -> str:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        project = world.project("port")
        planted = (
            "import contextlib, augment_correction.llm.vllm as vllm; "
            f"vllm.held_port = lambda: contextlib.nullcontext({port})"
        )
        return _refused(project.finish(project.start(planted)), project, "Address already in use")


# --------------------------------------------------------------------------------------------------------- adapter


def adapter(world: World) -> str:
    """Questions of the whole run, to an adapter of the same model. Few and short: without Triton, which a CPU lacks, vLLM
    adds adapters at two tokens per second."""
    folder = world.root / "adapter"
    world.inside("adapter", str(world.model), str(folder))
    lora = ["--model", str(world.model), "--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"mine={folder}"]
    short = ONE_QUESTION.replace("max_tokens: 96", "max_tokens: 24")
    project = world.project("adapter", pipeline=short, passages=2, model="mine", arguments=[*ARGUMENTS, *lora])
    made = project.finish(project.start())
    demand(made.code in (0, 3) and "Traceback" not in made.err, (made.code, made.err))
    by_base, by_adapter = _questions(Project.named(world, "whole")), _questions(project)
    shared = by_base.keys() & by_adapter.keys()
    demand(shared, "no question of the whole run was asked")
    same = [messages for messages in shared if by_base[messages].startswith(by_adapter[messages])]
    demand(not same, f"{len(same)} of {len(shared)} replies are the base model's")
    return f"asked by its name: {len(shared)} replies, all others than the base model's"


def _questions(project: Project) -> dict[str, str]:
    return {call["messages"]: call["text"] for call in project.calls() if call["stage"] == "question"}


# ------------------------------------------------------------------------------- on one server that runs for longer


def extra_body(world: World, base_url: str) -> str:
    choice = '{"initial_question": "How many arches has the bridge?"}'
    project = world.project(
        "extra", pipeline=ONE_QUESTION, mode="openai", base_url=base_url, api_key="none", arguments=[],
        structured_output="never", extra_body={"structured_outputs": {"choice": [choice]}},
    )  # fmt: skip
    made = ended(project.start()[0], 120)
    texts = {call["text"] for call in project.calls()}
    demand(made.code == 0 and texts == {choice}, (made.code, texts, made.err))
    return f"structured_outputs.choice: {len(project.calls())} replies are the one that it allows"
