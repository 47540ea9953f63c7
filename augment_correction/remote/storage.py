"""One address of object storage (`s3://bucket/docs`, or any other protocol of fsspec): what lies there, and one file of it at a time.

What goes wrong is told in a sentence without a secret. A failure of one object, to which the server has given an answer, is an
`ObjectFailure`; all else (no such bucket, no credentials, no server) is of no single object, and an InputError.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from augment_correction.errors import InputError, MissingExtra
from augment_correction.terminal import redacted

_WITH_CREDENTIALS = re.compile(r"^[^@]*://[^@]*:[^@]*@|(?:https?|ftp)://[^/]*@")
"""A secret key may hold a slash, and the one name before a web server's is often a token."""
_WEB = ("http://", "https://")
_MARKS = ("ETag", "etag", "md5Hash", "Content-MD5", "content_md5")
"""What fsspec's filesystems call the mark of an object's content; where there is none, its times tell whether it is another."""
_TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")
_S3: dict[str, Any] = {
    # One stream for each file, since there are many files: ten of 50 MB each would be in memory for every large one.
    "max_concurrency": 1,
    # s3fs asks five times; botocore below it would make each of them five.
    "config_kwargs": {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 15},
}
_OPTIONS: dict[str, dict[str, Any]] = {"file": {"auto_mkdir": True}, "s3": _S3, "s3a": _S3}
COMPARE = "compare the address with what the storage's own tools list"
_LOG_IN = "Credential|Token|Profile|Auth|Login"
_OF_NO_OBJECT = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed",
                 "InvalidSecurity", "AccountProblem", "NotSignedUp", "NoSuchBucket")  # fmt: skip
"""S3's words for what every other object would be answered, too."""


def without_secrets(address: str) -> str:
    """As it may be told: without what stands before an `@` and without a query."""
    plain = address.partition("?")[0]
    if _WITH_CREDENTIALS.search(plain):
        plain = f"{plain.partition('://')[0]}://***@{plain.rpartition('@')[2]}"
    return redacted(plain)


def is_address(place: str) -> bool:
    """Whether `place` is an address, and no path."""
    return "://" in place


def is_web(address: str) -> bool:
    """Whether it is a page's, which can be read and not written."""
    return address.startswith(_WEB)


def check_address(address: str) -> None:
    """What can be said of it before anything is sent.

    Raises: InputError where it is none, holds a password or a query, its protocol is unknown or it names no bucket; MissingExtra.
    """
    Storage.at(address)


class ObjectFailure(Exception):
    """One object cannot be had, and the others can."""


@dataclass(frozen=True)
class Stored:
    """One object as it was listed. `size` in bytes and `mark`, which changes with the content, are None where they are not told."""

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
        for what, found in (("credentials", _WITH_CREDENTIALS.search(address)), ("a query", "?" in address)):
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
            own = deepcopy(_OPTIONS.get(protocol, {}))  # botocore writes into it
            with told(address):  # some connect at once
                files, root = url_to_fs(address, skip_instance_cache=True, use_listings_cache=False, **own)
        except ImportError as failure:
            if protocol in ("s3", "s3a"):
                raise MissingExtra(address, "s3") from None
            raise InputError(
                f"{address} needs a package that is not installed: {failure}", hint=f"pip install {_package(failure)}"
            ) from None
        except (TypeError, AttributeError) as failure:  # filesystems that want more than an address
            raise _misfit(address, failure) from None
        if not root.strip("/"):
            raise InputError(f"{address} names no bucket", hint=f"write {protocol}://BUCKET/FOLDER")
        return cls(address.rstrip("/"), files, root.rstrip("/"))

    def check(self) -> None:
        """Whether it can be asked, by one request: there need be nothing at the address, but its bucket has to be there.

        Raises: InputError.
        """
        with told(self.address):
            try:
                self._files.ls(self.root, detail=False)
            except FileNotFoundError as failure:  # who may use one folder alone may not ask for the bucket itself
                if _code(failure) == "NoSuchBucket":
                    raise

    def objects(self) -> dict[str, Stored]:
        """By their names below the address, and by "" where the address is one object itself; none where there is nothing.

        Raises: InputError where it cannot be listed.
        """
        with told(self.address):
            found = self._files.find(self.root, detail=True)
            listed = dict(self._named(path, info) for path, info in found.items())
            listed.pop(None, None)
            return {str(name): self._stored(path, info) for name, (path, info) in listed.items()}

    def _named(self, path: str, info: Mapping[str, Any]) -> tuple[str | None, tuple[str, Mapping[str, Any]]]:
        """None for what only marks a folder, or lies elsewhere: the pages of a web server link to anything."""
        web = is_web(path)
        inside = path.rstrip("/") == self.root or path.startswith(f"{self.root}/")
        if path.endswith("/") or not inside or (web and "?" in path):
            return None, (path, info)
        name = path.removeprefix(self.root).removeprefix("/")
        return (unquote(name) if web else name), (path, info)

    def _stored(self, path: str, info: Mapping[str, Any]) -> Stored:
        if info.get("size") is None:  # the listings of web servers tell nothing
            with suppress(FileNotFoundError):
                info = self._files.info(path)
        named = next((f"{info[key]}" for key in _MARKS if info.get(key)), None)
        times = [f"{key} {info[key]}" for key in _TIMES if info.get(key)]
        return Stored(path, info.get("size"), named or " ".join(times) or None)

    def fetch(self, stored: Stored, target: Path, came: Callable[[int], None]) -> None:
        """The object into the file `target`. `came` is told of bytes as they come; what it raises ends the fetch.

        Raises: ObjectFailure, InputError; OSError where the file cannot be written.
        """
        with told(self.address, stored.path):
            self._files.get_file(stored.path, str(target), callback=_callback(came))
        if stored.size is not None and target.stat().st_size < stored.size:
            raise ObjectFailure(f"{target.stat().st_size:,} bytes came, and it was listed with {stored.size:,}")

    def put(self, source: Path, name: str, went: Callable[[int], None]) -> None:
        """The file `source` as the object `name`.

        Raises: InputError.
        """
        with told(self.address, writes=True):
            self._files.put_file(str(source), f"{self.root}/{name}", callback=_callback(went))

    def remove(self, name: str) -> None:
        """Nothing happens where there is no such object.

        Raises: InputError.
        """
        with told(self.address, writes=True), suppress(FileNotFoundError):
            self._files.rm_file(f"{self.root}/{name}")


def _callback(each: Callable[[int], None]) -> Any:
    from fsspec.callbacks import Callback

    class Counting(Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            each(inc)

        def absolute_update(self, value: int) -> None:
            each(0)

    return Counting()


@contextmanager
def told(address: str, path: str | None = None, *, writes: bool = False) -> Iterator[None]:
    """What a storage or the way to it refuses, in a sentence; `path` where one object is asked for.

    Raises: ObjectFailure, InputError. What is wrong with this program or this disk goes through as it is.
    """
    try:
        yield
    except Exception as failure:
        if not _is_of_the_storage(failure):
            raise
        if path is not None and _answered(failure):
            raise ObjectFailure(said_by(failure)) from None
        raise _refusal(address, failure, writes) from None


def _is_of_the_storage(failure: Exception) -> bool:
    if isinstance(failure, OSError):
        return failure.errno not in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(failure, ValueError):  # so filesystems refuse what they were set up with
        return True
    return type(failure).__module__.split(".")[0] not in ("builtins", "augment_correction")


def _answered(failure: Exception) -> bool:
    """An answer about one object, and no broken way to the server, nor an answer about whoever asks."""
    if _code(failure) in _OF_NO_OBJECT:
        return False
    if getattr(failure, "status", None):
        return True
    return type(failure).__module__ == "builtins" and not isinstance(failure, ConnectionError | TimeoutError)


def _code(failure: Exception) -> str:
    """Which error S3 calls it; empty where it is none of S3's."""
    response = getattr(failure.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _refusal(address: str, failure: Exception, writes: bool) -> InputError:
    said, does = said_by(failure), "write to" if writes else "read"
    if any(re.search(_LOG_IN, kind.__name__) for kind in type(failure).__mro__):
        return InputError(f"{address} cannot be used without credentials: {said}", hint=credentials_of(address))
    if isinstance(failure, FileNotFoundError):
        return InputError(f"there is no {address}: {said}", hint=COMPARE)
    if (
        isinstance(failure, PermissionError)
        or _code(failure) in _OF_NO_OBJECT
        or getattr(failure, "status", None) in (401, 403)
    ):
        return InputError(f"these credentials may not {does} {address}: {said}", hint=credentials_of(address))
    if isinstance(failure, ValueError):
        return _misfit(address, failure)
    return InputError(
        f"{address} cannot be reached: {said}",
        hint="when the server is there again, the same command goes on where this one stopped"
        + ("; a server of your own is named by AWS_ENDPOINT_URL" if address.startswith("s3") else ""),
    )


def _misfit(address: str, failure: Exception) -> InputError:
    hint = "look at the address and at the variables of the environment that are for this storage"
    if address.startswith("s3"):
        hint += "; AWS_ENDPOINT_URL is written http://HOST:PORT"
    return InputError(f"{address} cannot be used: {said_by(failure)}", hint=f"{hint}; {credentials_of(address)}")


def credentials_of(address: str) -> str:
    """What to do about them."""
    if address.startswith("s3"):
        return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`"
    return "log in as the tools of that storage do"


def said_by(failure: Exception) -> str:
    """The first line of it, without the query of an address, which may be signed."""
    said = getattr(failure, "strerror", None) or str(failure)
    lines = said.strip().splitlines() or [type(failure).__name__]
    return re.sub(r"\?[^\s\"']*", "", redacted(lines[0]))[:300]


def _package(failure: ImportError) -> str:
    """Of fsspec's own advice: "Please install gcsfs to access Google Storage"."""
    found = re.search(r"[Ii]nstall (?:the )?['\"]?([\w.-]+)", str(failure))
    return found.group(1) if found else "the package that fsspec names"
