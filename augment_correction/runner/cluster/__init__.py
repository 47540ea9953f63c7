"""The same run on a Ray cluster: `run CONFIG --engine ray`.

The driver reads, cuts, stores and writes, as it does on one machine. Between, Ray Data carries batches of passages to
a pool of actors, and each actor follows its passages through the stages by the code of the local engine:

    driver: intake ─ batches ─> [Read, on the driver's node] ─> [MapBatches(FollowPassages) x n] ─ outcomes ─> driver
                                                                   │ one journal file per actor process
    board (one small actor): shares, who began which batch, the cap, why the run stops

What makes it safe to kill anything: a reply is in an actor's journal before its passage goes on; Ray gives a dead
actor's batches to a living one; the board tells that one whose journals to look into; and the main journal takes all
of them in when the run ends, or when the next one begins.

Only `engine.py`, `feed.py` and `actor.py` know Ray, and nothing imports them unless a run asks for it.
"""
