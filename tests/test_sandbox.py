"""Templates of strangers: what they ask for in earnest is rendered, escapes and bombs are refused, wherever templates are run."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from augment_correction import sandbox
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


AHEAD: list[tuple[str, str, tuple[Any, ...], int]] = [
    ("upper", "ab", (), 2),
    ("center", "ab", (9, "x"), 11),
    ("ljust", "ab", (-9,), 11),
    ("replace", "aaaa", ("a", "bb"), 4 + 5 * 2),
    ("replace", "aaaa", ("", "bb", 1), 4 + 5 * 2),
    ("replace", "aaaa", ("aa", "bb"), 4 + 3 * 2),
    ("replace", "aaaa", ("a", 3), 4 + 3),
    ("replace", "aaaa", (3, "a"), 4 + 3),
    ("replace", "aaaa", ("a",), 4),
    ("join", "ab", (["x"] * 5,), 2 + 2 * 5),
    ("join", "ab", ("wxyz",), 2 + 4 * 4),
    ("join", "ab", ("w", "wxyz"), 2 + 4 * 4),
    ("join", "ab", (), 2),
    ("format", "%5d{} 12", (7, "abc"), 8 + 5 + 12 + 2 * (7 + 3)),
    ("format_map", "{1234567890123}", (), 15 + 123456789),
    ("expandtabs", "ab", (3,), (2 + 20 + 20) * 4),
    ("tojson", "", (["ab"],), 20 + 20 + 22),
]


@pytest.mark.parametrize(("name", "subject", "given", "size"), AHEAD)
def test_how_large_a_result_may_become_is_known_before_it_is_made(
    name: str, subject: str, given: tuple[Any, ...], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "SIZE", size)
    sandbox._look_ahead(name, subject, given)
    monkeypatch.setattr(sandbox, "SIZE", size - 1)
    with pytest.raises(SecurityError, match="makes a text"):
        sandbox._look_ahead(name, subject, given)


SIZES: list[tuple[Any, int]] = [
    ("", 0), ("abc", 3), (5, 1), (None, 1), ([], 20), ((1,), 40), ({"ab"}, 42), (frozenset([1]), 40),
    (["ab", {"k": "v"}], 20 + 22 + 20 + 21 + 21), ([[1], [1]], 100), ({"k": [1, 2]}, 20 + 21 + 20 + 20 + 20),
]  # fmt: skip


@pytest.mark.parametrize(("value", "size"), SIZES)
def test_what_is_in_a_list_is_measured_with_it(value: Any, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SIZE", size)
    assert sandbox._measured(value) == size
    for most in {size - 1, size - sandbox.THING}:
        monkeypatch.setattr(sandbox, "SIZE", most)
        with pytest.raises(SecurityError):
            sandbox._measured(value)


@pytest.mark.parametrize(
    ("source", "size"),
    [("{{ 'abc' }}de", 5), ("{{ ([0] * 3)|length }}", 120), ("{{ (3 * [0])|length }}", 120), ("{{ ('a' * 60)|length }}", 60),
     ("{{ (60 * 'a')|length }}", 60), ("{{ ('%2d' % 30)|length }}", 35), ("{{ '%d%d' % (30, 4) }}", 4 + 2 * 30 + 0),
     ("{{ ('a{}'.format(90))|length }}", 93), ("{{ ('a{b}'.format(b=90))|length }}", 94), ("{{ (x|center(90))|length }}", 92),
     ("{{ 'ab'.center(90)|length }}", 92)],
)  # fmt: skip
def test_no_more_than_the_size_is_made(source: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    template = BoundedSandbox().from_string(source)
    monkeypatch.setattr(sandbox, "SIZE", size)
    assert render(template, {"x": "ab"})
    monkeypatch.setattr(sandbox, "SIZE", size - 1)
    with pytest.raises(SecurityError, match=f"{size - 1} characters"):
        render(template, {"x": "ab"})


@pytest.mark.parametrize(
    ("source", "bits"), [("2 ** 5", 10), ("9 * 9", 7), ("7 + 1", 4), ("2 ** -3", 6), ("4 ** 0.5", 0), ("-9 * 9", 7)]
)
def test_no_larger_number_is_made(source: str, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    template = BoundedSandbox().from_string("{{ " + source + " }}")
    monkeypatch.setattr(sandbox, "DIGITS", bits)
    assert render(template, {})
    monkeypatch.setattr(sandbox, "DIGITS", bits - 1)
    with pytest.raises(SecurityError, match="makes a number"):
        render(template, {})


STEPS_OF = [
    ("{{ x }}", 2), ("{% for i in x %}{% endfor %}", 150), ("{% for i in x %}" + "y" * 250 + "{% endfor %}", 450),
    ("{{ x[0] }}", 2), ("{% if x == x %}{% endif %}", 2), ("{{ x ~ x }}", 8),
    ("{{ 1 + 2 }}", 2), ("{{ x|length }}", 4), ("{{ x|center(3) }}", 6), ("{{ x.upper() }}", 7), ("{{ '{}'.format(x) }}", 9),
    ("{{ '{a}'.format(a=x) }}", 9), ("{% for a, b in [(x, x)] %}{{ a }}{% endfor %}", 11), ("{{ x * 2 }}", 8), ("{{ dict(a=x)|length }}", 11),
]  # fmt: skip
X = "xyz" * 50


@pytest.mark.parametrize(("source", "steps"), STEPS_OF)
def test_what_each_thing_costs(source: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step for each round, call, filter, literal and piece written, and one for each 100 characters of it."""
    template = BoundedSandbox().from_string(source)
    monkeypatch.setattr(sandbox, "STEPS", steps)
    render(template, {"x": X})
    monkeypatch.setattr(sandbox, "STEPS", steps - 1)
    with pytest.raises(SecurityError, match="takes more than"):
        render(template, {"x": X})


def test_only_a_rendering_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "STEPS", 3)
    sandbox._count(10**6, 10**6)
    with sandbox._counting():
        sandbox._count(99)
        sandbox._count(199)
        with pytest.raises(SecurityError):
            sandbox._count(0)
    sandbox._count(0)
    assert len(sandbox._range(3)) == 3
    with pytest.raises(SecurityError, match="a range of over 3"):
        sandbox._range(1, 5)


def test_what_is_of_no_use_to_a_template_is_not_there() -> None:
    assert render(BoundedSandbox().from_string("{{ lipsum is defined }}"), {}) == "False"
    sandboxed = BoundedSandbox()
    sandboxed.add_filter("center", lambda text, width: "made" * width)
    with pytest.raises(SecurityError, match="makes a text of over"):
        render(sandboxed.from_string("{{ 'a'|center(10 ** 8) }}"), {})
    assert render(sandboxed.from_string("{{ 'a'|center(2) }}"), {}) == "mademade"


def test_a_filter_is_refused_before_its_result_is_made() -> None:
    template = BoundedSandbox().from_string("{{ (content * 100)|replace('', content * 1000) }}")
    tracemalloc.start()
    try:
        with pytest.raises(FAILURES):
            render(template, VALUES)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # bytes; the result would have over a billion
    finally:
        tracemalloc.stop()
