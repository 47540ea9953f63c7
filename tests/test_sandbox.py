"""Templates of strangers: what they ask for in earnest is rendered, escapes and bombs are refused, wherever templates are run."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import jinja2
import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from augment_correction.errors import ConfigError
from augment_correction.export import ChatTemplate
from augment_correction.llm.scripted import Scripted
from augment_correction.prompts import load_prompt
from augment_correction.records import Message, Request
from augment_correction.sandbox import FAILURES, BoundedSandbox, render

MESSAGES = [{"role": "user", "content": "hello " * 20}, {"role": "assistant", "content": "yes"}]

ORDINARY = [
    "{% for m in messages %}{{ m.role ~ ': ' + m['content']|trim }}{% if loop.last %}!{% endif %}{{ loop.length }}{% endfor %}",
    "{% set ns = namespace(x=0) %}{% for m in messages[1:] %}{% set ns.x = ns.x + 1 %}{% endfor %}{{ ns.x }}",
    "{% for key, value in messages[0].items() %}{{ key }}={{ value|upper }}{% endfor %}",
    "{{ messages|map(attribute='role')|join(',') }}{{ messages|tojson(indent=2) }}",
    "{% macro f(a) %}<{{ a }}>{% endmacro %}{{ f('x') }}{{ 'a-b'.split('-')[0].replace('a', 'cc') }}",
    "{{ '%s %d' % ('a', 3) }}{{ '{} {b:>4}'.format(3, b='x') }}{{ 'x'|center(9) }}{{ 2 ** 10 }}{{ '-' * 20 }}",
    "{% if messages[0].role == 'user' and 'x' in ['x', 'y'] %}{{ messages[::-1][0].content }}{% endif %}{{ (1, 2)|length }}",
    "{% set a, b = 1, 2 %}{{ a + b }}{% for i in range(3) if i % 2 == 0 %}{{ i }}{% else %}none{% endfor %}",
    "{% for r in [[1, [2]]] recursive %}{% if r is iterable %}{{ loop(r) }}{% else %}{{ r }}{% endif %}{% endfor %}",
    "{% for m in messages|selectattr('role', 'equalto', 'user') %}{{ loop.index0 }}{{ loop.cycle('a', 'b') }}{% endfor %}",
]

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages.__class__.__base__.__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__.os }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ self._TemplateReference__context.eval_ctx.environment }}",
    "{{ ''['__class__']['__mro__'] }}",
    "{{ (''|attr('__class__')).__mro__ }}",
    "{{ '{0.__class__.__mro__}'.format(1)[5] }}",
    "{{ '{a.__class__.__mro__}'.format_map({'a': 1})[5] }}",
    "{% set f = '{0.__class__.__mro__}'.format %}{{ f(1)[5] }}",
    "{{ ['{0.__class__.__mro__}'.format][0](1)[5] }}",
    "{{ (messages|map(attribute='__class__')|list)[0].__mro__ }}",
    "{{ range.__self__.__import__ }}",
    "{{ raise_exception.__globals__['jinja2'] }}",
    "{{ messages.append({}) }}",
    "{% set _ = messages[0].update({'role': 'system'}) %}",
    "{{ (messages[0].items()|list)[0].__reduce__() }}",
    "{% macro f() %}{{ caller.__globals__.x }}{% endmacro %}{% call f() %}{% endcall %}",
]

BOMBS = [
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in content %}{% for b in content %}{% for c in content %}{% for d in content %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in range(100000) %}{{ (content * 5000) == (content * 5000) }}{% endfor %}",
    "{{ 'a' * 10 ** 10 }}",
    "{{ [0] * 10 ** 10 }}",
    "{{ 10 ** (10 ** 10) }}",
    "{{ 2 ** 99999 }}",
    "{{ 'a'|center(10 ** 10) }}",
    "{{ ['a']|map('center', 10 ** 10)|list }}",
    "{{ 'a'.ljust(10 ** 10) }}",
    "{{ '1'.zfill(width) }}",
    "{{ '%10000000000d' % 1 }}",
    "{{ '%*d' % (width, 1) }}",
    "{{ '%10000000000d'|format(1) }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, width) }}",
    "{{ content.replace('', content * 1000) }}",
    "{{ (content * 100)|replace('', content * 1000) }}",
    "{{ (content * 1000).join(content * 1000) }}",
    "{{ ('a' * 100000).expandtabs(10 ** 9) }}",
    "{{ content|indent(10 ** 9) }}",
    "{{ messages|tojson(indent=10 ** 9) }}",
    "{{ 'a'|batch(10 ** 9, 'x')|list }}",
    "{{ range(10 ** 12)|list }}",
    "{{ range(100000)|map('center', 10000)|join }}",
    "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='aa') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = dict(a=ns.x, b=ns.x) %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    f"{{% for i in range(100000) %}}{'x' * 5000}{{% endfor %}}",
    f"{{% set x %}}{{% for i in range(100000) %}}{'x' * 5000}{{% endfor %}}{{% endset %}}{{{{ x }}}}",
]

NESTED = ["{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{% for i in [1] %}" * 30 + "{% endfor %}" * 30]

VALUES = {"messages": MESSAGES, "content": MESSAGES[0]["content"], "width": 10**10}


@pytest.mark.parametrize("source", ORDINARY)
def test_what_templates_do_in_earnest_is_as_jinja2_does_it(source: str) -> None:
    bounded, own = BoundedSandbox(), ImmutableSandboxedEnvironment()
    assert render(bounded.from_string(source), VALUES) == own.from_string(source).render(VALUES) != ""


@pytest.mark.parametrize("source", ESCAPES)
def test_no_way_leads_into_python(source: str) -> None:
    with pytest.raises(FAILURES):
        render(BoundedSandbox(undefined=jinja2.StrictUndefined).from_string(source), VALUES)


@pytest.mark.parametrize("source", BOMBS)
def test_a_bomb_is_refused(source: str) -> None:
    with pytest.raises(FAILURES, match=r"more than|over [\d,]+|recursion"):
        render(BoundedSandbox().from_string(source), VALUES)


@pytest.mark.parametrize("source", NESTED)
def test_nesting_beyond_python_is_a_mistake_in_the_template(source: str) -> None:
    with pytest.raises(jinja2.TemplateSyntaxError, match="nested too deeply"):
        BoundedSandbox().from_string(source)


def test_steps_are_counted_for_each_rendering_anew() -> None:
    template = BoundedSandbox().from_string("{% for i in range(90000) %}{% endfor %}done")
    assert {render(template, {}) for _ in range(15)} == {"done"}


CHAT = [
    BOMBS[0],
    "{{ messages[0].content.__class__.__mro__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ strftime_now('%Y').__class__.__mro__ }}",
    "{{ raise_exception('no') }}",
    "{{ '{}'.format() }}",
    "{{ 1 / 0 }}",
]


@pytest.mark.parametrize("source", CHAT)
def test_a_chat_template_from_a_hub_that_misbehaves_is_named(source: str) -> None:
    with pytest.raises(ConfigError, match=r"the hub's template cannot render the conversation: \S"):
        ChatTemplate("the hub's template", source).render(MESSAGES)


@pytest.mark.parametrize("source", [BOMBS[0], "{{ passage.__class__.__mro__ }}", "{{ '{}'.format() }}", "{{ 1 / 0 }}"])
@pytest.mark.parametrize("variable", ["", "{{ passage }}"])
def test_a_prompt_that_misbehaves_is_named(tmp_path: Path, source: str, variable: str) -> None:
    """Without a variable it is rendered when it is loaded."""
    path = tmp_path / "foreign.jinja"
    path.write_text(f"{{% user %}}{variable}{source}{{% enduser %}}", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{re.escape(str(path))}: prompt cannot be rendered: \S"):
        load_prompt(path).render({"passage": "text"})


def test_a_prompts_nesting_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "foreign.jinja"
    path.write_text(f"{{% user %}}\n{NESTED[0]}{{{{ passage }}}}{{% enduser %}}", encoding="utf-8")
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_prompt(path)


def test_a_script_of_replies_is_sandboxed_too(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("fields: {answer: \"{{ ''.__class__.__mro__ }}\"}", encoding="utf-8")
    schema = {"properties": {"answer": {"type": "string"}}}
    asked = Request((Message("user", "a passage of some words"),), "m", schema=schema)
    with pytest.raises(FAILURES):
        asyncio.run(Scripted(script, len).complete(asked))
