from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.config import ApiConfig, PathConfig, RunConfig, SystemConfig
from augment_correction.errors import ConfigError
from augment_correction.llm.opening import concurrency_of
from augment_correction.models import ModelConfig
from augment_correction.runner.cluster.shares import check_address, crew_for, refuse_alone, share_of

ROLES = ("small", "large")


def config(small: int | None = None, large: int | None = None, limit: int = 30, mode: str = "api") -> RunConfig:
    models = {
        role: ModelConfig.model_validate({"model": role, "mode": mode, "concurrency": count})
        for role, count in (("small", small), ("large", large))
    }
    return RunConfig(
        pipeline="correction",
        api=ApiConfig(**models),
        path=PathConfig(input_dir="in", output_dir="out"),
        system=SystemConfig(concurrency_limit=limit),
    )


counts = st.integers(1, 3000)


@given(counts, counts, st.integers(1, 100), st.integers(1, 64))
def test_the_shares_are_the_whole(small: int, large: int, nodes: int, cpus_each: int) -> None:
    whole = config(small, large)
    crew = crew_for(whole, ROLES, nodes=nodes, cpus=nodes * cpus_each)
    shares = [share_of(whole, ROLES, slot, crew.actors) for slot in range(crew.actors)]
    for role in ROLES:
        parts = [concurrency_of(share, share.model(role)) for share in shares]
        assert sum(parts) == concurrency_of(whole, whole.model(role))
        assert max(parts) - min(parts) <= 1


@given(counts, counts, st.integers(1, 100), st.integers(1, 64))
def test_an_actor_has_enough_passages_for_all_its_calls(small: int, large: int, nodes: int, cpus_each: int) -> None:
    crew = crew_for(config(small, large), ROLES, nodes=nodes, cpus=nodes * cpus_each)
    assert 1 <= crew.actors <= nodes * cpus_each
    assert 1 <= crew.batch <= 128
    assert crew.batch * crew.batches >= (small + large) / crew.actors


def test_a_crew_has_an_actor_on_every_node() -> None:
    assert crew_for(config(limit=30), ROLES, nodes=4, cpus=16).actors == 4
    assert crew_for(config(limit=1024), ROLES, nodes=4, cpus=256).actors == 16


def test_rates_are_divided() -> None:
    model = {"model": "m", "rpm": 100, "tpm": 1_000}
    whole = config().model_copy(update={"api": ApiConfig(small=ModelConfig.model_validate(model))})
    share = share_of(whole, ("small",), 2, 8).model("small")
    assert (share.rpm, share.tpm) == (12.5, 125)


def test_roles_with_the_same_model_share_its_cap() -> None:
    same = {"model": "m", "concurrency": 40}
    whole = config()
    whole = whole.model_copy(update={"api": ApiConfig(small=ModelConfig(**same), large=ModelConfig(**same))})
    assert crew_for(whole, ROLES, nodes=2, cpus=4) == crew_for(whole, ("small",), nodes=2, cpus=4)
    share = share_of(whole, ROLES, 0, 2)
    assert share.model("small") == share.model("large")


@pytest.mark.parametrize("mode", ["vllm", "embedded", "batch"])
def test_what_only_one_process_can_use_is_refused(mode: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_alone(config(mode=mode), ROLES)
    assert caught.value.hint


def test_ray_client_is_refused() -> None:
    check_address(None)
    check_address("auto")
    with pytest.raises(ConfigError, match="Ray Client"):
        check_address("ray://head:10001")
