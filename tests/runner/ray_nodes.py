"""A Ray cluster of two nodes with one CPU each, in a process of its own: pytest's may not look beyond this machine, and
Ray does while it starts. Prints its address; `kill` on stdin ends the second node without a word, `up` starts one."""

from __future__ import annotations

import os
import sys
import time
from typing import Any


def main() -> None:
    # Ray gives workers 15: beside other work on this machine they hardly ever run
    os.environ.update(RAY_worker_niceness="0")
    from ray.cluster_utils import Cluster

    place = {"num_cpus": 1, "object_store_memory": 200 * 2**20}
    cluster: Any = None
    for attempt in range(3):  # a node that is not up within 30 s is given up by Ray: a busy machine may need more
        try:
            cluster = Cluster(initialize_head=True, head_node_args={**place, "include_dashboard": False})
            break
        except Exception:
            if attempt == 2:
                raise
            time.sleep(5)
    second: Any = None
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(second, allow_graceful=False)
            second = None
        elif second is None:
            second = cluster.add_node(**place)
            cluster.wait_for_nodes()
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
