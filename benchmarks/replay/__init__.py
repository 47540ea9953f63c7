"""The shipped prompts, answered by whoever can read and write files: a strong model in a chat, a person, a program.

    python -m benchmarks.replay ask /tmp/replay/new --input DOCUMENTS -n 16
    python -m benchmarks.replay ask /tmp/replay/old --input DOCUMENTS -n 16 --at REVISION
    python -m benchmarks.replay table /tmp/replay/old /tmp/replay/new
    python -m benchmarks.replay pairs /tmp/replay/old /tmp/replay/new /tmp/replay/pairs
    python -m benchmarks.replay preference /tmp/replay/pairs

`ask` is a run of the real program whose models are files: each request appears as `requests/KEY.json` (its messages), and the
run goes on when `replies/KEY.txt` is there. It may be stopped and started at any time. `--at REVISION` takes the prompts and
pipelines that git has at that revision; `--config FILE` takes the models of that config instead of files.
"""
