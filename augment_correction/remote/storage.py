"""One address of object storage (`s3://bucket/docs`, or any other protocol of fsspec): lists what is there, and transfers single files.

Failures are told by the module `failures`. If the server's answer is about one object, it is an `ObjectFailure`, and the others may still be
had. All else (no such bucket, no credentials, no server) is an InputError.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from augment_correction.errors import InputError, MissingExtra
from augment_correction.remote.failures import (
    COMPARE,
    ObjectFailure,
    code_of,
    credentials_of,
    family_of,
    is_of_the_storage,
    misfit,
    told,
)
from augment_correction.terminal import redacted

_OF_THE_WEB = re.compile(r"(?:https?|ftp)://[^/@]*@")
_WEB = ("http://", "https://")
_MARKS = ("ETag", "etag", "md5Hash", "Content-MD5", "content_md5")
"""The names that fsspec's filesystems have for the mark of an object's content. If there is no mark, the object's times stand in for it."""
_TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")
_S3: dict[str, Any] = {
    # One stream for each file, since many files are sent at once: with ten streams, 500 MB of every large file would be in memory.
    "max_concurrency": 1,
    # s3fs tries five times, and botocore, which it uses, would try five times in each of these.
    "config_kwargs": {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 15},
}
_AZURE: dict[str, Any] = {
    "max_concurrency": 1,
    # Of files that are fetched or put. All else Azure's client does with limits of its own, which adlfs has no say about.
    "connection_timeout": 5,
    "read_timeout": 15,
    # Where it may not ask for the container, adlfs takes it to be there, and puts a file again and again into one that is not.
    "assume_container_exists": False,
}
_LOGS = ("adlfs", "azure", "gcsfs", "google", "s3fs")
"""Packages that log what they raise, too: gcsfs with its traceback, azure.identity with twelve lines for each attempt."""


def without_secrets(address: str) -> str:
    """The address as a message may show it: without what stands before an `@`, and without a query."""
    plain = address.partition("?")[0]
    if _has_credentials(plain):
        plain = f"{plain.partition('://')[0]}://***@{plain.rpartition('@')[2]}"
    return redacted(plain)


def _has_credentials(address: str) -> bool:
    """A secret key may hold a slash, and what stands before the `@` of a web address is often a token."""
    before, at, _ = address.partition("@")
    return bool(at and ":" in before.partition("://")[2]) or _OF_THE_WEB.search(address) is not None


def is_address(place: str) -> bool:
    """Whether `place` is an address and not a path."""
    return "://" in place


def is_web(address: str) -> bool:
    """Whether it is the address of a web server, which can be read but not written to."""
    return address.startswith(_WEB)


def check_address(address: str) -> None:
    """Check all that can be checked before anything is sent.

    Raises: InputError if it is no address, holds a password or a query, has an unknown protocol or names no bucket; MissingExtra.
    """
    Storage.at(address)


@dataclass(frozen=True)
class Stored:
    """One object as it was listed. `size` is in bytes, `mark` changes with the content; both are None if the storage does not tell them."""

    path: str
    size: int | None
    mark: str | None


@dataclass(frozen=True)
class Storage:
    """The objects below `root` of a filesystem of fsspec."""

    address: str
    _files: Any
    root: str

    @classmethod
    def at(cls, address: str) -> Storage:
        """Raises: as `check_address`."""
        for what, found in (("credentials", _has_credentials(address)), ("a query", "?" in address)):
            if found:
                raise InputError(
                    f"{without_secrets(address)} holds {what}, which would be written into run.json",
                    hint=f"take {'them' if what == 'credentials' else 'it'} out of the address; {credentials_of(address)}",
                )
        protocol, there, _ = address.partition("://")
        if not there:
            raise InputError(f"'{address}' is no address", hint="write s3://BUCKET/FOLDER")
        try:
            from fsspec import available_protocols
            from fsspec.core import url_to_fs
        except ModuleNotFoundError:
            raise MissingExtra(address, "s3") from None
        if protocol.rpartition("::")[2] not in available_protocols():
            raise InputError(
                f"'{protocol}' in {address} is no protocol that is known",
                hint="write s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or az://CONTAINER/FOLDER",
            )
        try:
            # Without a cache of listings, which would hide what others write.
            own = _options(protocol, address)
            _keep_quiet()
            with told(address):  # some connect at once
                files, root = url_to_fs(address, skip_instance_cache=True, use_listings_cache=False, **own)
        except ImportError as failure:
            if protocol in ("s3", "s3a"):
                raise MissingExtra(address, "s3") from None
            raise InputError(
                f"{address} needs a package that is not installed: {failure}", hint=f"pip install {_package(failure)}"
            ) from None
        except (TypeError, AttributeError) as failure:  # filesystems that want more than an address
            raise misfit(address, failure) from None
        if not root.strip("/"):
            raise InputError(f"{address} names no bucket", hint=f"write {protocol}://BUCKET/FOLDER")
        return cls(address.rstrip("/"), files, root.rstrip("/"))

    def check(self) -> None:
        """Check with few requests that the storage answers. There need not be anything at the address, but its bucket must exist.

        Raises: InputError.
        """
        with told(self.address):
            try:
                self._files.ls(self.root, detail=False)
            except FileNotFoundError as failure:
                if code_of(failure) == "NoSuchBucket":
                    raise
                self._look_for_bucket()

    def _look_for_bucket(self) -> None:
        """Check that the bucket exists, after nothing was found at the address: gcsfs and adlfs report both in the same way. S3 is not asked,
        because it reports a missing bucket by itself, and because those who may only use a folder of it may not ask for the bucket.

        Raises: InputError if there is no such bucket.
        """
        bucket = self.root.partition("/")[0]
        for ask in (self._files.info, self._files.ls) if family_of(self.address) in ("gs", "az") else ():
            try:
                ask(bucket)
            except FileNotFoundError:
                raise InputError(
                    f"there is no {self.address}: no bucket or container is named {bucket}", hint=COMPARE
                ) from None
            except Exception as failure:  # who may not ask for it may often list it
                if not is_of_the_storage(failure):
                    raise
            else:
                return

    def objects(self) -> dict[str, Stored]:
        """The objects by their names below the address; the name is "" if the address is itself an object.

        Raises: InputError where it cannot be listed.
        """
        with told(self.address):
            try:
                found = self._files.find(self.root, detail=True)
            except FileNotFoundError:
                self._look_for_bucket()
                raise
            if not isinstance(found, Mapping):  # adlfs, where the address is one object
                found = {path: self._files.info(path) for path in found}
            if not found:
                self._look_for_bucket()
            listed = dict(self._named(path, info) for path, info in found.items())
            listed.pop(None, None)
            return {str(name): self._stored(path, info) for name, (path, info) in listed.items()}

    def _named(self, path: str, info: Mapping[str, Any]) -> tuple[str | None, tuple[str, Mapping[str, Any]]]:
        """The name of an object; None if it only marks a folder, or lies elsewhere, since the pages of a web server link to anything."""
        web = is_web(path)
        inside = path.rstrip("/") == self.root or path.startswith(f"{self.root}/")
        if path.endswith("/") or not inside or (web and "?" in path):
            return None, (path, info)
        name = path.removeprefix(self.root).removeprefix("/")
        return (unquote(name) if web else name), (path, info)

    def _stored(self, path: str, info: Mapping[str, Any]) -> Stored:
        if info.get("size") is None:  # the listing of a web server does not tell it
            with suppress(FileNotFoundError):
                info = self._files.info(path)
        named = next((f"{info[key]}" for key in _MARKS if info.get(key)), None)
        times = [f"{key} {info[key]}" for key in _TIMES if info.get(key)]
        return Stored(path, info.get("size"), named or " ".join(times) or None)

    def fetch(self, stored: Stored, target: Path, came: Callable[[int], None]) -> None:
        """Fetch the object into the file `target`. `came` is called with the number of bytes that have come; if it raises, the fetch ends.

        Raises: ObjectFailure, InputError; OSError where the file cannot be written.
        """
        with told(self.address, stored.path):
            self._files.get_file(stored.path, str(target), callback=_callback(came))
        if stored.size is not None and target.stat().st_size < stored.size:
            raise ObjectFailure(f"{target.stat().st_size:,} bytes came, and it was listed with {stored.size:,}")

    def put(self, source: Path, name: str, went: Callable[[int], None]) -> None:
        """Store the file `source` as the object `name`. `went` is called with the number of bytes that were sent.

        Raises: InputError.
        """
        with told(self.address, writes=True):
            self._files.put_file(str(source), f"{self.root}/{name}", callback=_callback(went))

    def mark_of(self, name: str) -> str | None:
        """The mark of the object `name`, asked for by itself; None if the storage does not tell it, or not to these credentials."""
        path = f"{self.root}/{name}"
        with suppress(ObjectFailure, InputError), told(self.address, path):
            return self._stored(path, self._files.info(path)).mark
        return None

    def remove(self, name: str) -> None:
        """Remove an object. Nothing happens if there is none of that name.

        Raises: InputError.
        """
        with told(self.address, writes=True), suppress(FileNotFoundError):
            self._files.rm_file(f"{self.root}/{name}")


def _callback(each: Callable[[int], None]) -> Any:
    from fsspec.callbacks import Callback

    class Counting(Callback):  # type: ignore[misc]
        value: int

        def relative_update(self, inc: int = 1) -> None:
            self.absolute_update(self.value + inc)

        def absolute_update(self, value: int) -> None:
            before, self.value = self.value, value
            each(value - before)

    return Counting()


def _options(protocol: str, address: str) -> dict[str, Any]:
    if protocol == "file":
        return {"auto_mkdir": True}
    family = family_of(address)
    if family == "gs":
        from aiohttp import ClientTimeout

        # Of itself gcsfs waits for an answer without an end. It asks six times.
        return {"requests_timeout": ClientTimeout(total=None, sock_connect=5, sock_read=15)}
    return deepcopy({"s3": _S3, "az": _AZURE}.get(family, {}))  # botocore writes into it


def _keep_quiet() -> None:
    """Keep the warnings of these packages from stderr, where Python writes those of a log that nobody handles: every failure is raised and
    told anyway."""
    for name in _LOGS:
        if not (log := logging.getLogger(name)).handlers:
            log.addHandler(logging.NullHandler())


def _package(failure: ImportError) -> str:
    """The package that fsspec's message names, as in "Please install gcsfs to access Google Storage"."""
    found = re.search(r"[Ii]nstall (?:the )?['\"]?([\w.-]+)", str(failure))
    return found.group(1) if found else "the package that fsspec names"
