"""The same run on a Ray cluster: `run CONFIG --engine ray`.

The driver reads and cuts, and writes the files at the end, as it does on one machine. Between, actors follow the passages through the
stages by the code of the local engine, and keep what they make themselves:

    driver: intake ─ a file per batch, its number ─> actor (FollowPassages) x n ─ counts ─> driver
                                                       │ one journal per actor process: calls and outcomes
    board (one small actor): shares, who began which batch, the cap, why the run stops

What makes it safe to kill anything: a reply is in an actor's journal before its passage goes on; Ray starts a dead actor
again with its batches; the board tells it whose journals to look into; and the main journal takes all of them in when the
run ends, or when the next one begins.

Only `engine.py` and `actor.py` know Ray, and nothing imports them unless a run asks for it.
"""
