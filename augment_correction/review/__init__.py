"""Pages of this machine: `review`, where a person approves, rejects and edits a run's conversations, and the live page of
`run --watch`. What is decided is written and applied by `results` (`decisions.py`, `reviewed.py`, `applying.py`); here are the pages and
their server (`local.py`: who is let in)."""
