"""A job is its owner's while the owner's heart beats, and somebody else's after that."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from augment_correction.launching.process_id import ProcessId, began
from augment_correction.worker import leases as leasing
from augment_correction.worker.jobs import Job
from augment_correction.worker.leases import Leases
from augment_correction.worker.site import Site
from tests.worker.world import World

ELSEWHERE = str(ProcessId(1, "a boot:1", "elsewhere"))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(leasing.time, "monotonic", made)
    return made


@pytest.fixture
def site(world: World) -> Site:
    return Site(world.write(lease_seconds=40))


def job_of(site: Site, owner: str | None) -> Job:
    return site.jobs.add("a.jsonl", "inbox/a.jsonl", 1, state="running", phase="train", owner=owner)


def owner(site: Site) -> str | None:
    found = site.jobs.get(1)
    assert found is not None
    return found.owner


def test_ones_own_is_kept(site: Site) -> None:
    mine = job_of(site, site.owner)
    assert Leases(site).held(mine, awaited=False) == mine


def test_of_an_owner_elsewhere_it_is_taken_when_the_heart_stood_still_for_a_lease(site: Site, clock: Clock) -> None:
    leases, theirs = Leases(site), job_of(site, ELSEWHERE)
    site.jobs.sign_in(ELSEWHERE)
    for _ in range(3):  # a beat begins the lease anew
        site.jobs.beat(ELSEWHERE)
        assert leases.held(theirs, awaited=True) is None
        clock.now += 39
        assert leases.held(theirs, awaited=True) is None
    assert owner(site) == ELSEWHERE
    clock.now += 1
    taken = leases.held(theirs, awaited=True)
    assert taken is not None and taken.owner == owner(site) == site.owner


@pytest.mark.parametrize("who", [ELSEWHERE, None])
def test_of_an_owner_that_never_signed_in_it_is_taken_at_once(site: Site, who: str | None) -> None:
    assert Leases(site).held(job_of(site, who), awaited=False) is not None
    assert owner(site) == site.owner


def test_of_an_owner_here_that_is_dead_it_is_taken_at_once_and_of_a_living_one_it_is_not(site: Site) -> None:
    living = ProcessId.own()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        other = str(ProcessId(process.pid, began(process.pid) or "", living.host))
        site.jobs.sign_in(other)
        theirs = job_of(site, other)
        assert Leases(site).held(theirs, awaited=False) is None
    assert Leases(site).held(theirs, awaited=False) is not None


def test_signing_in_clears_the_dead_of_this_machine_alone(site: Site) -> None:
    dead = str(ProcessId(os.getpid(), "another boot:1", ProcessId.own().host))
    for each in (dead, ELSEWHERE):
        site.jobs.sign_in(each)
    leases = Leases(site)
    leases.sign_in()
    assert set(site.jobs.workers()) == {ELSEWHERE, site.owner}
    leases.sign_out()
    assert set(site.jobs.workers()) == {ELSEWHERE}


def test_the_heart_beats_four_times_in_a_lease(site: Site, clock: Clock) -> None:
    leases = Leases(site)
    leases.sign_in()
    for _ in range(80):
        clock.now += 0.5
        leases.beat()
    assert site.jobs.workers()[site.owner] == 4
