"""Tells failures of a storage, or of the way to it, in sentences that hold no secret.

Each of fsspec's filesystems raises exceptions as it likes: Python's (`FileNotFoundError`), its own, or those of the client that it uses.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from augment_correction.errors import InputError
from augment_correction.terminal import redacted

COMPARE = "compare the address with what the storage's own tools list"
_LOG_IN = "Credential|Token|Profile|Auth|Login"
_OF_NO_OBJECT = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed",
                 "InvalidSecurity", "AccountProblem", "NotSignedUp", "NoSuchBucket",
                 "AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation", "InsufficientAccountPermissions",
                 "AuthorizationFailure", "AccountIsDisabled", "ContainerNotFound", "ContainerBeingDeleted")  # fmt: skip
"""Error codes of S3, and then of Azure, that are about the bucket or whoever asks: for any other object the answer would be the same."""
_PASSING = (408, 429)
"""Statuses below 500 that are no answer about the object: a later request for it may succeed."""
_CREDENTIALS = {
    "s3": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`",
    "gs": "let GOOGLE_APPLICATION_CREDENTIALS name the file of a key, or run `gcloud auth application-default login`",
    "az": "set AZURE_STORAGE_CONNECTION_STRING; or AZURE_STORAGE_ACCOUNT_NAME, with AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN "
    "or `az login`",
}
_SERVER = {"s3": "AWS_ENDPOINT_URL", "gs": "STORAGE_EMULATOR_HOST"}
_FAMILIES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}


class ObjectFailure(Exception):
    """One object cannot be fetched. The others may be."""


def family_of(address: str) -> str:
    """The kind of storage that an address belongs to: `s3`, `gs` or `az`; empty if it is none of these."""
    return _FAMILIES.get(address.partition("://")[0], "")


@contextmanager
def told(address: str, path: str | None = None, *, writes: bool = False) -> Iterator[None]:
    """A context in which failures of the storage, and of the way to it, become sentences. `path` is given if one object is asked for.

    Raises: ObjectFailure, InputError. Faults of this program or of this disk are raised as they are.
    """
    try:
        yield
    except Exception as failure:
        if not is_of_the_storage(failure):
            raise
        if path is not None and _answered(failure):
            raise ObjectFailure(said_by(failure)) from None
        raise _refusal(address, failure, writes) from None


def is_of_the_storage(failure: Exception) -> bool:
    """Whether the failure comes from the storage, its filesystem or the way to it, and not from this program or this disk."""
    if isinstance(failure, OSError):
        return failure.errno not in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(failure, ValueError):  # this is how filesystems refuse a wrong setting
        return True
    return type(failure).__module__.split(".")[0] not in ("builtins", "augment_correction")


def _answered(failure: Exception) -> bool:
    """Whether the failure is the server's answer about one object, and not about whoever asks, nor a broken connection."""
    if code_of(failure) in _OF_NO_OBJECT:
        return False
    if getattr(failure, "status", None):  # of a web server
        return True
    if status := _status(failure):
        return status < 500 and status != 401 and status not in _PASSING
    return type(failure).__module__ == "builtins" and not isinstance(failure, ConnectionError | TimeoutError)


def code_of(failure: Exception) -> str:
    """The error code that S3 or Azure gives; empty if the failure is none of theirs."""
    if code := getattr(failure, "error_code", None):
        return str(getattr(code, "value", code))
    response = getattr(failure.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _status(failure: Exception) -> int:
    """The HTTP status of the server's answer, as the errors of aiohttp, Azure and gcsfs hold it; 0 if there is none."""
    if str(failure).startswith("Forbidden: "):  # gcsfs: a plain OSError
        return 403
    names = ("status", "status_code", "code")
    return next((int(number) for name in names if (number := str(getattr(failure, name, ""))).isdecimal()), 0)


def _refusal(address: str, failure: Exception, writes: bool) -> InputError:
    said, does, status = said_by(failure), "write to" if writes else "read", _status(failure)
    if not status and any(re.search(_LOG_IN, kind.__name__) for kind in type(failure).__mro__):
        return InputError(f"{address} cannot be used without credentials: {said}", hint=credentials_of(address))
    if isinstance(failure, FileNotFoundError):
        return InputError(f"there is no {address}: {said}", hint=COMPARE)
    if isinstance(failure, PermissionError) or code_of(failure) in _OF_NO_OBJECT or status in (401, 403):
        return InputError(f"these credentials may not {does} {address}: {said}", hint=credentials_of(address))
    if isinstance(failure, ValueError):
        return misfit(address, failure)
    server = _SERVER.get(family_of(address))
    return InputError(
        f"{address} cannot be reached: {said}",
        hint="when the server is there again, the same command goes on where this one stopped"
        + (f"; a server of your own is named by {server}" if server else ""),
    )


def misfit(address: str, failure: Exception) -> InputError:
    """Of an address or an environment that a filesystem makes nothing of."""
    hint = "look at the address and at the variables of the environment that are for this storage"
    if server := _SERVER.get(family_of(address)):
        hint += f"; {server} is written http://HOST:PORT"
    return InputError(f"{address} cannot be used: {said_by(failure)}", hint=f"{hint}; {credentials_of(address)}")


def credentials_of(address: str) -> str:
    """What a user can do about the credentials of an address."""
    return _CREDENTIALS.get(family_of(address), "log in as the tools of that storage do")


def said_by(failure: Exception) -> str:
    """The first line of it that says more than which address was asked, without the query of an address, which may be signed."""
    said = (
        getattr(failure, "strerror", None) or str(failure) or str(failure.__cause__ or "")
    )  # fsspec's own timeout is empty
    lines = said.strip().splitlines() or [type(failure).__name__]
    line = next((line for line in lines if not re.fullmatch(r"[\w ]+: \S+/\S+", line)), lines[0])
    if isinstance(failure, FileNotFoundError) and " " not in line:  # gcsfs: the path of a request
        line = os.strerror(errno.ENOENT)
    return re.sub(r"\?[^\s\"']*", "", redacted(line))[:300]
