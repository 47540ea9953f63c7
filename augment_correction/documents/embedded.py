"""Files inside a file, such as the web page or the mail archive that a Word document embeds (altChunk)."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from augment_correction.documents.contract import Unread
from augment_correction.documents.html import write_html
from augment_correction.documents.text import decode, decoding_notes
from augment_correction.documents.writing import Markdown
from augment_correction.records import ReadNote


def read_embedded(data: bytes, content_type: str, name: str) -> tuple[Markdown, list[ReadNote]]:
    """HTML, XHTML, MHTML or plain text, and what is to be noted of it by its name. Raises Unread."""
    kind, ending = content_type.partition(";")[0].strip().lower(), name.lower().rpartition(".")[2]
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if (
        kind in ("message/rfc822", "multipart/related")
        or ending in ("mht", "mhtml")
        or head.startswith(b"mime-version")
    ):
        data, kind = _mail(data)
    if "html" in kind or ending in ("htm", "html", "xhtml") or head.startswith((b"<!doctype html", b"<html")):
        page = write_html(data)
        return page.written, list(decoding_notes(page.decoded, name))
    if kind == "text/plain" or ending == "txt":
        decoded, written = decode(data), Markdown()
        if text := decoded.text.strip():
            written.paragraph(text)
        return written, list(decoding_notes(decoded, name))
    raise Unread("unsupported", f"an embedded part of the kind {kind or ending}; save the file without it")


def _mail(data: bytes) -> tuple[bytes, str]:
    """The page or text in a web archive as UTF-8, and which of both it is."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("html", "plain"))
    if body is None:
        return b"", "text/plain"
    try:
        content = body.get_content()
    except (LookupError, ValueError) as error:
        raise Unread("unreadable", f"a damaged web archive: {error}") from error
    # the mark says UTF-8 whatever the page inside says of the bytes that it had in the archive
    return b"\xef\xbb\xbf" + str(content).encode("utf-8", "replace"), body.get_content_type()
