"""`report.html`: a run as a person wants to look at it, in a page that needs no network; what is long lies in `report_data/` beside it."""

from augment_correction.report.writing import write_report

__all__ = ["write_report"]
