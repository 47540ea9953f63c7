from __future__ import annotations

import pytest

from augment_correction.errors import ModelUnusable
from augment_correction.llm import proxies


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "address", "proxy"),
    [
        ({}, "https://api.openai.com/v1", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://api.openai.com/v1", "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "https://api.openai.com/v1", "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "https://api.openai.com/v1", None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://gpu1:8000/v1", "http://proxy:3128"),
        ({"ALL_PROXY": "http://proxy:3128"}, "https://api.openai.com/v1", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "gpu1,.openai.com"}, "https://api.openai.com/v1", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "https://api.openai.com/v1", None),
        *(({"HTTP_PROXY": "http://proxy:3128"}, address, None)
          for address in ("http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000/v1", "http://127.3.4.5/v1")),
    ],
)  # fmt: skip
def test_which_proxy(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str, proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxies.proxy_for(address) == proxy


def test_a_proxy_of_another_kind_is_named_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://someone:secret@proxy:1080")
    with pytest.raises(ModelUnusable, match="socks5 proxy") as raised:
        proxies.proxy_for("https://api.openai.com/v1")
    assert raised.value.hint is not None and "NO_PROXY=api.openai.com" in raised.value.hint
    assert "secret" not in str(raised.value)
