"""Files inside a file, such as the web page or the mail archive that a Word document embeds (altChunk)."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from augment_correction.documents.contract import Unread
from augment_correction.documents.html import write_html
from augment_correction.documents.text import decode
from augment_correction.documents.writing import Markdown


def read_embedded(data: bytes, content_type: str, name: str) -> Markdown:
    """HTML, XHTML, MHTML or plain text. Raises Unread."""
    kind, ending = content_type.partition(";")[0].strip().lower(), name.lower().rpartition(".")[2]
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if (
        kind in ("message/rfc822", "multipart/related")
        or ending in ("mht", "mhtml")
        or head.startswith(b"mime-version")
    ):
        return _mail(data)
    if "html" in kind or ending in ("htm", "html", "xhtml") or head.startswith((b"<!doctype html", b"<html")):
        return write_html(data)[0]
    if kind == "text/plain" or ending == "txt":
        written = Markdown()
        if text := decode(data).text.strip():
            written.paragraph(text)
        return written
    raise Unread("unsupported", f"an embedded part of the kind {kind or ending}; save the file without it")


def _mail(data: bytes) -> Markdown:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("html", "plain"))
    content = body.get_content() if body is not None else ""
    if body is not None and body.get_content_type() == "text/html":
        return write_html(content.encode("utf-8", "replace"), encoding="utf-8")[0]
    written = Markdown()
    if content.strip():
        written.paragraph(content.strip())
    return written
