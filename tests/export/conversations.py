"""Conversations and templates that the tests of this folder share."""

from __future__ import annotations

from hypothesis import strategies as st

from augment_correction.export import ChatTemplate
from augment_correction.project import bundled
from augment_correction.records import Conversation, Role, Turn, content_id
from tests.export.models import CHATML, INST, LLAMA3

ROLES: tuple[Role, ...] = ("user", "assistant", "user", "assistant")
TEMPLATES = {
    "chatml": ChatTemplate("chatml", CHATML),
    "llama3 (trims)": ChatTemplate("llama3", LLAMA3, "<|begin_of_text|>", "<|end_of_text|>"),
    "inst (alternating, space before)": ChatTemplate("inst", INST, "<s>", "</s>"),
    "augmentoolkit": ChatTemplate(
        "augmentoolkit", (bundled() / "prompts/chat_templates/augmentoolkit.jinja").read_text("utf-8"), "<s>"
    ),
    "vicuna": ChatTemplate(
        "vicuna",
        "{% for m in messages %}{% if m.role == 'user' %}USER: {{ m.content }} {% else %}ASSISTANT: {{ m.content }}</s>"
        "{% endif %}{% endfor %}",
    ),
    "a preface": ChatTemplate(
        "preface",
        "A chat between a curious human and an assistant.\n\n{% for m in messages %}### {{ m.role | capitalize }}:\n"
        "{{ m.content | trim }}\n\n{% endfor %}",
    ),
    "a default system message": ChatTemplate(
        "smollm",
        "{% for m in messages %}{% if loop.first and m.role != 'system' %}"
        "{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
        "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}",
    ),
    "nothing around": ChatTemplate("bare", "{% for m in messages %}{{ m.content }}{% endfor %}"),
}


def conversation(*texts: str, correction_only: bool = False) -> Conversation:
    """Question, mistake, doubt, correction."""
    masks = (False, False, False, True) if correction_only else (True, False, True, True)
    turns = tuple(Turn(role, text, train) for role, text, train in zip(ROLES, texts, masks, strict=True))
    return Conversation(content_id(*texts), "correct_after_mistake", turns, not correction_only)


def noticed(question: str, mistake: str, correction: str, joint: str = " ") -> Conversation:
    """A question, and one answer that begins with the mistake and goes on to correct it."""
    turns = (Turn("user", question, True), Turn("assistant", mistake + joint + correction, True, len(mistake)))
    return Conversation(content_id(question, mistake, correction), "self_noticed", turns, True, {"origin": "invented"})


# Texts as models and documents write them: any characters at all, and those on which masks go wrong.
PIECES = st.sampled_from(
    (
        *(
            "No",
            "No.",
            "no",
            "Are you sure?",
            " ",
            "  ",
            "\n",
            "\n\n",
            "\t",
            "5",
            "1,500",
            "…",
            "é",
            "e\u0301",
            "日本",
            "🐝",
        ),
        *(
            "</s",
            "<|im_end",
            "AI:",
            "[INST]",
            "user",
            "assistant",
            "{{ x }}",
            "- a\n- b",
            "\ue000",
            "'s",
            "```py\nx\n```",
        ),
    )
)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TEXTS = st.one_of(st.lists(PIECES, max_size=6).map("".join), ANY)
STRIPPED = TEXTS.map(str.strip).filter(bool)
