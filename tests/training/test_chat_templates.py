"""Our rendering of chat templates beside that of Transformers."""

from __future__ import annotations

import pytest

from augment_correction.export import ChatTemplate
from tests.export.test_chat_template import DATED, GENERATION, MESSAGES

utils = pytest.importorskip("transformers.utils.chat_template_utils")


@pytest.mark.parametrize("source", [GENERATION, DATED], ids=["generation", "dated"])
def test_it_reads_like_transformers(source: str) -> None:
    theirs = utils._compile_jinja_template(source.replace("strftime_now('%d %b %Y')", "'26 Jul 2024'"))
    assert ChatTemplate("mine", source, eos_token="</s>").render(MESSAGES) == theirs.render(
        messages=MESSAGES, eos_token="</s>", bos_token="", add_generation_prompt=False
    )
