"""`report.html`: a run as a person wants to look at it, in one file that needs no network."""

from augment_correction.report.writing import write_report

__all__ = ["write_report"]
