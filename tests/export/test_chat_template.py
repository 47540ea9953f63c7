"""What the chat templates of real models use is rendered as Transformers renders it."""

from __future__ import annotations

import pytest

from augment_correction.export import ChatTemplate
from augment_correction.export.axolotl_chat import served_template

MESSAGES = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "Ander."}]
GENERATION = (
    "{%- for m in messages %}\n<|{{ m.role }}|>\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}\n{%- endfor %}"
)
DATED = (
    "{%- if not date_string is defined %}{%- if strftime_now is defined %}"
    "{%- set date_string = strftime_now('%d %b %Y') %}"
    "{%- else %}{%- set date_string = 'unknown' %}{%- endif %}{%- endif %}"
    "Today is {{ date_string }}.{% for m in messages %}\n<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
)


def test_generation_marks_are_no_text() -> None:
    made = ChatTemplate("mine", GENERATION, eos_token="</s>").render(MESSAGES)
    assert made == ChatTemplate("mine", GENERATION.replace("{% generation %}", "").replace("{% endgeneration %}", ""),
                                eos_token="</s>").render(MESSAGES)  # fmt: skip
    assert "Ander.</s>" in made and "generation" not in made


def test_variables_set_inside_a_generation_block_are_seen_inside_it() -> None:
    source = (
        "{% for m in messages %}{% generation %}{% set text = m.content %}<{{ text }}>{% endgeneration %}{% endfor %}"
    )
    assert ChatTemplate("mine", source).render(MESSAGES) == "<Which?><Ander.>"


def test_today_is_the_same_day_on_every_day_and_that_is_said() -> None:
    template = ChatTemplate("dated", DATED)
    assert template.render(MESSAGES).startswith("Today is 26 Jul 2024.")
    assert template.dated is not None and "26 Jul 2024" in template.dated
    assert ChatTemplate("plain", GENERATION).dated is None


@pytest.mark.parametrize("call", ["strftime_now('%d %b %Y')", 'strftime_now( "%d %b %Y" )'])
def test_a_server_gets_the_date_of_the_rows(call: str) -> None:
    template = ChatTemplate("dated", DATED.replace("strftime_now('%d %b %Y')", call))
    served = served_template(template)
    assert call not in served
    assert ChatTemplate("served", served).render(MESSAGES) == template.render(MESSAGES)


@pytest.mark.parametrize(
    ("arguments", "spelled"),
    [("", '{"b": "é", "a": 1}'), ("ensure_ascii=True, sort_keys=True", '{"a": 1, "b": "\\u00e9"}'),
     ("separators=(',', ':')", '{"b":"é","a":1}')],
)  # fmt: skip
def test_tojson_takes_what_templates_hand_it(arguments: str, spelled: str) -> None:
    made = ChatTemplate("mine", "{{ messages[0] | tojson(" + arguments + ") }}").render([{"b": "é", "a": 1}])
    assert made == spelled
