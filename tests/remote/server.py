"""An S3 server on 127.0.0.1 (moto's), which remembers what it was asked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

import boto3
from moto.server import ThreadedMotoServer

KEY, SECRET = "AKIATESTTESTTEST", "a-secret-that-nobody-may-see"
_REQUEST = re.compile(r"([A-Z]+) /(\S*) HTTP")


class _Remembered(logging.Handler):
    """The lines of werkzeug's log."""

    def __init__(self, requests: list[tuple[str, str]]) -> None:
        super().__init__()
        self._requests = requests

    def emit(self, record: logging.LogRecord) -> None:
        if found := _REQUEST.search(record.getMessage()):
            self._requests.append((found[1], found[2]))


@dataclass
class S3:
    """`requests` are (method, path with its query)."""

    url: str
    client: Any
    requests: list[tuple[str, str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """For whoever talks to it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def empty(self) -> None:
        """Nothing but a bucket named `bucket`, and nothing asked."""
        with urlopen(Request(f"{self.url}/moto-api/reset", method="POST")):
            pass
        self.refuse_after(float("inf"))
        self.client.create_bucket(Bucket="bucket")
        self.requests.clear()

    def refuse_after(self, calls: float) -> None:
        """From then on it looks at the credentials, which are nobody's."""
        with urlopen(Request(f"{self.url}/moto-api/reset-auth", str(calls).encode(), {"Content-Type": "text/plain"})):
            pass

    def put(self, objects: Mapping[str, str], bucket: str = "bucket") -> None:
        for key, text in objects.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def held(self, prefix: str = "", bucket: str = "bucket") -> dict[str, bytes]:
        listed = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        keys = [each["Key"] for each in listed]
        return {key: self.client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def asked(self, method: str) -> list[str]:
        """Keys of objects, without listings, sorted."""
        keys = (path.partition("/")[2] for way, path in self.requests if way == method and "?" not in path)
        return sorted(filter(None, keys))


@contextmanager
def s3_server() -> Iterator[S3]:
    logger = logging.getLogger("werkzeug")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    level, kept = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    login = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    made = S3(url, boto3.client("s3", endpoint_url=url, **login))
    handler = _Remembered(made.requests)
    logger.addHandler(handler)
    try:
        made.empty()
        yield made
    finally:
        server.stop()
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = kept
