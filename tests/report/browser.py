"""A headless Chromium that is asked over its own protocol, so that a test can measure a page as it is drawn."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
]
SECONDS = 120
"""Of patience: on a loaded machine of two cores a start takes ten."""

OVERLAPPING = """((selector) => {
  const drawn = [...document.querySelectorAll(selector)].flatMap((each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    const [text, own] = [range.getBoundingClientRect(), each.getBoundingClientRect()];
    const box = [Math.max(text.left, own.left), Math.max(text.top, own.top), Math.min(text.right, own.right), Math.min(text.bottom, own.bottom)];
    return text.width ? [[each.textContent, ...box]] : [];
  });
  return drawn.flatMap(([one, left, top, right, bottom], place) => drawn.slice(place + 1)
    .filter(([, left2, top2, right2, bottom2]) => left < right2 - 1 && left2 < right - 1 && top < bottom2 - 1 && top2 < bottom - 1)
    .map(([other]) => [one, other]));
})"""


class Browser:
    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        """What the browser told by itself, where a domain of its protocol was turned on."""

    async def __aenter__(self) -> Self:
        assert CHROMIUM
        command = [CHROMIUM, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={self._profile}", "about:blank"]
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        told = self._profile / "DevToolsActivePort"
        async with asyncio.timeout(SECONDS):
            while not (told.exists() and told.read_text().count("\n")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        port = told.read_text().splitlines()[0]
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json") as reply:
            [page] = [each for each in await reply.json() if each["type"] == "page"]
        self._socket = await self._session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._socket.close()
        await self._session.close()
        self._process.terminate()
        async with asyncio.timeout(SECONDS):
            await self._process.wait()

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(SECONDS):
            while True:
                told = await self._socket.receive_json()
                if "id" not in told:
                    self.events.append(told)
                if told.get("id") == number:
                    assert "error" not in told, told
                    result: dict[str, Any] = told["result"]
                    return result

    async def watch(self, *domains: str) -> None:
        for domain in domains:
            await self._call(f"{domain}.enable")

    async def picture(self) -> bytes:
        """What is in the window, as PNG."""
        return base64.b64decode((await self._call("Page.captureScreenshot", format="png"))["data"])

    async def forget(self) -> None:
        """All cookies."""
        await self._call("Network.clearBrowserCookies")

    async def leave(self, script: str) -> None:
        """Run what leads to another page, and return when that has drawn itself."""
        await self.value(f"window.stays = true; {script}; 0")
        there = "!window.stays && document.readyState === 'complete' && !!document.querySelector('#main > *')"
        async with asyncio.timeout(SECONDS):
            while not await self._there(there):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _there(self, expression: str) -> bool:
        try:
            return bool(await self.value(expression))
        except AssertionError:  # between two pages there is none to ask
            return False

    async def open(self, address: str, width: int, *, dark: bool = False) -> None:
        """Show a page; returns when it has drawn itself."""
        await self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 760
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._call("Emulation.setEmulatedMedia", features=[scheme])
        await self._call("Page.navigate", url="about:blank")
        await self._call("Page.navigate", url=address)
        async with asyncio.timeout(SECONDS):
            while not await self.value("document.readyState === 'complete' && !!document.querySelector('#main > *')"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        # Drawings wait for their width: the observer has told it after two frames.
        await self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    async def value(self, expression: str) -> Any:
        made = await self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in made, made
        return made["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Its value as soon as it is one."""
        async with asyncio.timeout(SECONDS):
            while not (found := await self.value(expression)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    async def press(self, *keys: str, control: bool = False) -> None:
        """Keys as a person presses them: letters, or "Enter", "Escape"."""
        for key in keys:
            typed = {"Enter": "\r", "Escape": ""}.get(key, key)
            code = {"Enter": 13, "Escape": 27}.get(key, ord(key.upper()) if len(key) == 1 else 0)
            common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0}
            text = {} if control or not typed else {"text": typed}
            await self._call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
            await self._call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def hold(self, key: str, times: int) -> None:
        """A letter whose key stays down until it has been repeated this often."""
        common = {"key": key, "windowsVirtualKeyCode": ord(key.upper())}
        for number in range(times):
            await self._call("Input.dispatchKeyEvent", type="keyDown", text=key, autoRepeat=number > 0, **common)
            await asyncio.sleep(0.05)
        await self._call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def write(self, text: str) -> None:
        """Into the field that has the focus."""
        await self._call("Input.insertText", text=text)

    async def overlapping(self, selector: str) -> list[list[str]]:
        """Pairs of elements whose text is drawn over each other, by their words."""
        return list(await self.value(OVERLAPPING + f"({selector!r})"))

    async def too_wide(self) -> int:
        """Pixels by which the page is wider than its window."""
        return int(await self.value("document.documentElement.scrollWidth - innerWidth"))
