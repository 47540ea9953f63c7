"""The proxy that the environment names for an address (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY in either case)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from augment_correction.errors import ModelUnusable


def proxy_for(address: str) -> str | None:
    """None where it is asked directly. A proxy cannot know this machine's loopback, so none is ever used for it.

    Raises: ModelUnusable where the environment names a proxy of another kind than HTTP.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    proxies = getproxies_environment()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or is_loopback(host) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise ModelUnusable(
            f"the environment names a {urlsplit(proxy).scheme} proxy for {host}, and only HTTP proxies are supported",
            hint=f"set {parts.scheme.upper()}_PROXY to an HTTP proxy, or NO_PROXY={host} to ask the server directly",
        )
    return proxy


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
