"""`review`: a run's conversations on a page of this machine, where a person approves, rejects and edits them. What is decided is written
and applied by `results` (`decisions.py`, `reviewed.py`, `applying.py`); here is the page and its server."""
