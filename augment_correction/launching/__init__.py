"""A training or an evaluation as a process of its own, that outlives whoever started it: command lines out of templates, one slot
that the running process itself holds, and a supervisor that leaves behind who ran and how it ended."""
