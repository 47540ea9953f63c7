"""A dataset with its card on the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError, MissingExtra
from augment_correction.remote.push import Push

NO_TOKEN = "no token of the Hugging Face Hub was found (run `hf auth login`, or set HF_TOKEN)"
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def push_folder(folder: Path, repository: str, *, public: bool = False, dry_run: bool = False) -> Push:
    """Send the folder to the dataset `owner/name`, which is made where it is not there: private unless it is to be `public`.
    The token is the one of `hf auth login` or of HF_TOKEN.

    Raises: InputError where the name is none, the token may not write there, or the Hub cannot be reached; MissingExtra.
    """
    if not _NAME.fullmatch(repository):
        raise InputError(
            f"'{repository}' is not the name of a dataset on the Hugging Face Hub", hint="name it as OWNER/NAME"
        )
    files = [
        (path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    try:
        import huggingface_hub
    except ModuleNotFoundError:
        raise MissingExtra("--push", "frames") from None
    token = huggingface_hub.get_token()
    push = Push(f"the {'public' if public else 'private'} dataset {repository}", files)
    if dry_run or not token:
        return replace(push, withheld="--dry-run" if token else NO_TOKEN)
    hub: Any = huggingface_hub.HfApi(token=token, library_name="augment-correction")
    with _told(repository):
        hub.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            commit_message="Conversations by augment-correction",
        )
    return replace(push, url=f"{hub.endpoint}/datasets/{repository}")


@contextmanager
def _told(repository: str) -> Iterator[None]:
    """What the Hub or the way to it refuses, in a sentence. The exports on this machine stay as they are."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled:
        raise InputError(
            "nothing can be uploaded to the Hugging Face Hub, because HF_HUB_OFFLINE is set",
            hint="unset it and upload again",
        ) from None
    except HfHubHTTPError as failure:
        raise _refused(repository, failure) from None
    except Exception as failure:
        if isinstance(failure, OSError) or type(failure).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore2"):
            raise InputError(
                f"the Hugging Face Hub cannot be reached: {failure}",
                hint="upload again when there is a network; the export on this machine is complete",
            ) from None
        raise


def _refused(repository: str, failure: Any) -> InputError:
    status = getattr(failure.response, "status_code", None)
    if status in (401, 403):
        return InputError(
            f"this token may not write to {repository} (HTTP {status})",
            hint="log in with a token that may write to it: hf auth login",
        )
    said = str(getattr(failure, "server_message", "") or failure).splitlines()[0]
    return InputError(
        f"the Hub refuses {repository} (HTTP {status}): {said}", hint="follow the message of the Hub and upload again"
    )
