"""Keeps tests on this machine: a connection to anything but it fails at once, in pytest and, by way of PYTHONPATH, in
every Python process that a test starts."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

LOCAL = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "", None)
online = False
"""Set while a test marked `embedded` runs: it may fetch weights."""

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


for _name in os.environ.get("TESTS_WITHOUT", "").split():  # a package as if it were not installed
    sys.modules[_name] = None  # type: ignore[assignment]


class Refused(ConnectionRefusedError):
    pass


def _check(family: int, address: Any) -> None:
    inet = family in (socket.AF_INET, socket.AF_INET6)
    if inet and not online and str(address[0]).partition("%")[0] not in LOCAL:
        raise Refused(111, f"tests may not talk to {address[0]}")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _check(self.family, address)
    return _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _check(self.family, address)
    return _connect_ex(self, address)


def _guarded_getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if not online and name not in LOCAL:
        raise socket.gaierror(socket.EAI_NONAME, f"tests may not look up {name}")
    return _getaddrinfo(host, *arguments, **more)


socket.socket.connect = _guarded_connect  # type: ignore[method-assign]
socket.socket.connect_ex = _guarded_connect_ex  # type: ignore[method-assign]
socket.getaddrinfo = _guarded_getaddrinfo
