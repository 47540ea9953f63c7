"""What a storage or the way to it refuses, told in a sentence without a secret.

Each of fsspec's filesystems raises what it likes: words of Python (`FileNotFoundError`), of its own, or of the client below it.
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
"""Words of S3, and then of Azure, for what every other object would be answered, too."""
_PASSING = (408, 429)
"""Below 500, and no answer about the object either: it may be had later."""
_CREDENTIALS = {
    "s3": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`",
    "gs": "let GOOGLE_APPLICATION_CREDENTIALS name the file of a key, or run `gcloud auth application-default login`",
    "az": "set AZURE_STORAGE_CONNECTION_STRING; or AZURE_STORAGE_ACCOUNT_NAME, with AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN "
    "or `az login`",
}
_SERVER = {"s3": "AWS_ENDPOINT_URL", "gs": "STORAGE_EMULATOR_HOST"}
_FAMILIES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}


class ObjectFailure(Exception):
    """One object cannot be had, and the others can."""


def family_of(address: str) -> str:
    """Whose storage it is: `s3`, `gs` or `az`; empty where it is none of these."""
    return _FAMILIES.get(address.partition("://")[0], "")


@contextmanager
def told(address: str, path: str | None = None, *, writes: bool = False) -> Iterator[None]:
    """What a storage or the way to it refuses, in a sentence; `path` where one object is asked for.

    Raises: ObjectFailure, InputError. What is wrong with this program or this disk goes through as it is.
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
    """Whether the storage, its filesystem or the way to it says so, and not this program or this disk."""
    if isinstance(failure, OSError):
        return failure.errno not in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(failure, ValueError):  # so filesystems refuse what they were set up with
        return True
    return type(failure).__module__.split(".")[0] not in ("builtins", "augment_correction")


def _answered(failure: Exception) -> bool:
    """An answer about one object, and no broken way to the server, nor an answer about whoever asks."""
    if code_of(failure) in _OF_NO_OBJECT:
        return False
    if getattr(failure, "status", None):  # of a web server
        return True
    if status := _status(failure):
        return status < 500 and status != 401 and status not in _PASSING
    return type(failure).__module__ == "builtins" and not isinstance(failure, ConnectionError | TimeoutError)


def code_of(failure: Exception) -> str:
    """Which error S3 or Azure calls it; empty where it is none of theirs."""
    if code := getattr(failure, "error_code", None):
        return str(getattr(code, "value", code))
    response = getattr(failure.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _status(failure: Exception) -> int:
    """The number that the server has answered with, of aiohttp's, Azure's and gcsfs's errors; 0 where none is told."""
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
    """What to do about them."""
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
