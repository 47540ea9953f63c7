"""What the clients of other storages raise, which each do it in their own way, is told in the same sentences."""

from __future__ import annotations

from typing import Any

import pytest

from augment_correction.errors import InputError
from augment_correction.remote.failures import ObjectFailure, told


class Answer(Exception):
    """As gcsfs's HttpError (`code`) and Azure's HttpResponseError (`status_code`, `error_code`) tell what a server has answered."""

    def __init__(self, said: str, **told: Any) -> None:
        super().__init__(said)
        vars(self).update(told)


class GoogleAuthError(Exception):
    pass


class RefreshError(GoogleAuthError):
    """As google.auth has them."""


FORBIDDEN = OSError("Forbidden: b/bucket/o\nida@x may not list this bucket.")
UNKNOWN = Answer("Server failed to authenticate the request.\nErrorCode:AuthenticationFailed", status_code=403,
                 error_code="AuthenticationFailed")  # fmt: skip


@pytest.mark.parametrize(
    ("address", "failure", "message", "remedy"),
    [
        ("gs://bucket/docs", Answer("Anonymous caller", code=401), "these credentials may not read gs://bucket/docs: Anonymous", "GOOGLE_APP"),
        ("gs://bucket/docs", FORBIDDEN, "these credentials may not read gs://bucket/docs: ida@x may not", "gcloud auth"),
        ("gs://bucket/docs", RefreshError("invalid_grant"), "gs://bucket/docs cannot be used without credentials", "gcloud auth"),
        ("gs://bucket/docs", FileNotFoundError("b/bucket/o"), "there is no gs://bucket/docs: No such file", "compare"),
        ("gs://bucket/docs", Answer("Unavailable", code=503), "gs://bucket/docs cannot be reached: Unavailable", "STORAGE_EMULATOR_HOST"),
        ("gs://bucket/docs", ValueError("Bad Request: http://h/b?sig=1\nInvalid name"), "gs://bucket/docs cannot be used: Invalid name", "look at"),
        ("abfs://bucket/docs", UNKNOWN, "these credentials may not read abfs://bucket/docs: Server failed", "AZURE_STORAGE_CONNECTION_STRING"),
        ("az://bucket/docs", ValueError("neither key nor name"), "az://bucket/docs cannot be used: neither", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)  # fmt: skip
def test_of_all_objects(address: str, failure: Exception, message: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught, told(address):
        raise failure
    assert caught.value.message.startswith(message) and remedy in str(caught.value.hint)


@pytest.mark.parametrize(
    "failure", [UNKNOWN, Answer("expired", code=401), Answer("slow down", code=429), Answer("busy", status_code=503)]
)
def test_what_every_other_object_would_be_answered_is_of_no_single_one(failure: Exception) -> None:
    with pytest.raises(InputError), told("gs://bucket/docs", "bucket/docs/a.md"):
        raise failure


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (FORBIDDEN, "ida@x may not list this bucket."),
        (Answer("It is archived.\nTime:12", status_code=409, error_code="BlobArchived"), "It is archived."),
        (FileNotFoundError("b/bucket/o/a.md"), "No such file or directory"),
    ],
)
def test_of_one_object(failure: Exception, said: str) -> None:
    with pytest.raises(ObjectFailure) as caught, told("gs://bucket/docs", "bucket/docs/a.md"):
        raise failure
    assert str(caught.value) == said


def test_a_timeout_without_words_is_told_by_its_cause() -> None:
    class FSTimeoutError(TimeoutError):
        """As fsspec raises it."""

    with pytest.raises(InputError, match="cannot be reached: Timeout on reading"), told("gs://bucket/docs"):
        raise FSTimeoutError from TimeoutError("Timeout on reading")
