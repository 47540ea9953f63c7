"""Files of correction data come in, each becomes a round of training, a gate decides, and nothing is lost.

The jobs are rows of our own in one SQLite file, not those of a job library. Looked at: huey (on SQLite, no broker) takes
a task off its queue when it begins and keeps no acknowledgement: its documentation says that tasks of a killed consumer
are lost, so leases, adoption and attempts would be written beside it anyway; what remained of it, priorities and a claim,
is one `ORDER BY` here. Libraries with leases (litequeue, localqueue) hand a message to a Python function; what runs here
is a process group that outlives its worker for hours and is found again. Cost of our own: `jobs.py`.

Who holds what, so that a kill at any instant leaves nothing in doubt:

- `.lock` is held by the worker, and names its process: one per root. The kernel gives it back, however the worker ends, so
  that a job that is still called running belongs to whoever holds the lock next. (On a network file system the locks must be
  the server's, as those of NFS are.)
- `.slot` is held by the training process itself and its children (an inherited descriptor): one training at a time, and
  whether one runs is never guessed from a process id. A new worker that finds it held awaits that training.
- Every change of a job names the state it was seen in: what another process has changed meanwhile (`worker retry`) is told
  and not overwritten. No wall clock decides anything: times are only shown.
- The database is written first, files are moved after: where they are follows from the row, and is put right at a start.
"""
