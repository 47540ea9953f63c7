"""The steps of a pipeline: each a small async function of a record. A stage asks, checks and raises `Reject`; it never
catches, counts, times, retries or writes, since the runner does that once for all of them."""

from augment_correction.stages.base import Station, Surroundings, Tools, neutral
from augment_correction.stages.building import build_stations

__all__ = ["Station", "Surroundings", "Tools", "build_stations", "neutral"]
