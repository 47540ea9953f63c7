"""Prompt files: blocks, strictness, constants, Augmentoolkit's YAML, and that values are never evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.corrections.detecting import PROMPT as DETECT
from augment_correction.corrections.evidence import PROMPT as EVIDENCE
from augment_correction.declarations import KIND
from augment_correction.errors import ConfigError
from augment_correction.pipeline import load_pipeline
from augment_correction.project import Project, bundled
from augment_correction.prompts import PromptLibrary, load_prompt
from augment_correction.records import Attempt, Message

VALUES = {
    "passage": "P",
    "title": "T",
    "heading": "H",
    "language": "English",
    "source": "s",
    "page": 1,
    "metadata": {},
    "problem": "p",
}


def write(folder: Path, text: str, name: str = "ask.jinja") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def shipped_pipelines() -> list[Path]:
    return sorted((bundled() / "pipelines").glob("*.yaml"))


@pytest.mark.parametrize("path", shipped_pipelines(), ids=lambda path: path.stem)
def test_every_shipped_pipeline_loads_wires_and_renders(path: Path) -> None:
    pipeline = load_pipeline(path)
    library = PromptLibrary(Project(bundled()))
    prompts = {name: library.load(name) for name in pipeline.prompts}
    assert list(pipeline.check_wiring({name: prompt.variables for name, prompt in prompts.items()})) == []
    written: dict[str, Any] = {
        name: "x" for stage in pipeline.stages for name in (*stage.writes, *stage.named, *stage.given)
    }
    written |= dict.fromkeys(pipeline.takes, "x") | {"attempts": [Attempt("x", "model", "call", {})]}
    written |= {name: next(iter(words)) for name, words in pipeline.draws.items()}
    for prompt in prompts.values():
        messages = prompt.render({**VALUES, **written})
        assert messages[-1].role == "user"
        assert all(message.content for message in messages)


@pytest.mark.parametrize("path", shipped_pipelines(), ids=lambda path: path.stem)
def test_every_word_that_is_drawn_says_something_of_its_own_to_a_prompt(path: Path) -> None:
    pipeline = load_pipeline(path)
    library = PromptLibrary(Project(bundled()))
    prompts = [library.load(name) for name in pipeline.prompts]
    written = {name: "x" for stage in pipeline.stages for name in (*stage.writes, *stage.named)}
    usual = {name: next(iter(words)) for name, words in pipeline.draws.items()}
    for name, words in pipeline.draws.items():
        if name == KIND:
            continue
        reading = [prompt for prompt in prompts if name in prompt.variables | prompt.optional]
        said = {
            tuple(prompt.render({**VALUES, **written, **usual, name: word}) for prompt in reading) for word in words
        }
        assert len(said) == len(words), name


@pytest.mark.parametrize("path", shipped_pipelines(), ids=lambda path: path.stem)
def test_free_says_what_a_pipeline_says_that_draws_nothing(path: Path) -> None:
    pipeline = load_pipeline(path)
    library = PromptLibrary(Project(bundled()))
    written = {name: "x" for stage in pipeline.stages for name in (*stage.writes, *stage.named)}
    values = {**VALUES, **written} | {name: next(iter(words)) for name, words in pipeline.draws.items()}
    for name in (name for name, words in pipeline.draws.items() if "free" in words):
        for prompt in (prompt for prompt in map(library.load, pipeline.prompts) if name in prompt.optional):
            left_out = {key: value for key, value in values.items() if key != name}
            assert prompt.render({**values, name: "free"}) == prompt.render(left_out), name


@pytest.mark.parametrize("path", sorted((bundled() / "prompts").rglob("*.jinja")), ids=lambda path: path.stem)
def test_every_shipped_prompt_is_used_or_included(path: Path) -> None:
    if path.parent.name in (
        "chat_templates",
        "evaluate",
        "distilling",
    ):  # the exporter's, the evaluation's, the training's
        return
    used = {name for each in shipped_pipelines() for name in load_pipeline(each).prompts} | {"reask", DETECT, EVIDENCE}
    name = path.relative_to(bundled() / "prompts").with_suffix("").as_posix()
    spellings = (f'"{path.name}"', f'"{name}.jinja"')
    others = [other.read_text() for other in (bundled() / "prompts").rglob("*.jinja")]
    included = any(spelling in other for spelling in spellings for other in others)
    assert name in used or included


def test_constant_messages_are_made_once_and_stand_first(tmp_path: Path) -> None:
    prompt = load_prompt(
        write(tmp_path, "{% system %}\nBe brief.\n{% endsystem %}\n{% user %}{{ passage }}{% enduser %}")
    )
    assert prompt.constant_prefix == (Message("system", "Be brief."),)
    assert prompt.render(VALUES)[0] is prompt.render(VALUES)[0]
    assert prompt.variables == {"passage"}


def test_what_is_asked_for_by_is_defined_may_be_missing(tmp_path: Path) -> None:
    write(tmp_path, "{% if mood is defined %}Be {{ mood }}.{% endif %}", "inner.jinja")
    prompt = load_prompt(write(tmp_path, '{% user %}{{ passage }} {% include "inner.jinja" %}{% enduser %}'))
    assert (prompt.variables, prompt.optional) == ({"passage"}, {"mood"})
    assert [prompt.render({**VALUES, **more})[0].content for more in ({}, {"mood": "kind"})] == ["P", "P Be kind."]
    assert prompt.constant_prefix == ()


def test_shipped_prompts_serve_a_pipeline_that_draws_the_doubt_alone() -> None:
    library = PromptLibrary(Project(bundled()))
    for name in load_pipeline(bundled() / "pipelines" / "correction.yaml").prompts:
        prompt = library.load(name)
        missing = prompt.variables - VALUES.keys() - {"pushback"}
        assert not missing or name.startswith("checks/")
        if not missing:
            assert prompt.render({**VALUES, "pushback": "terse"})


@pytest.mark.parametrize("pushback", ["terse", "emotional", "neutral"])
def test_a_doubt_that_names_nothing_else_is_asked_for_in_the_same_words_whoever_is_right(pushback: str) -> None:
    library = PromptLibrary(Project(bundled()))
    said = [
        [line for line in messages[-1].content.splitlines() if line.startswith(("The doubt ", "The user "))]
        for name in ("masked_conversation_generation", "kinds/stand_by")
        for messages in [library.load(name).render({**VALUES, "pushback": pushback})]
    ]
    assert said[0] == said[1]
    assert len(said[0]) == 2


def test_an_unknown_variable_is_an_error_and_not_an_empty_string(tmp_path: Path) -> None:
    prompt = load_prompt(write(tmp_path, "{% user %}{{ metadata.author }}{% enduser %}"))
    with pytest.raises(ConfigError, match="author"):
        prompt.render(VALUES)


@given(st.text())
def test_a_document_is_data_and_never_evaluated(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    prompt = load_prompt(write(folder, "{% user %}[{{ passage }}]{% enduser %}", "data.jinja"))
    for hostile in (text, "{{ 7 * 7 }}", "{% for x in [] %}", "{# gone #}"):
        assert prompt.render({**VALUES, "passage": hostile})[0].content == f"[{hostile}]"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("{% user %}a{% enduser %}\nstray", 2, "text outside of a message"),
        ("\n{% user %}a", 2, "never closed"),
        ("{% user %}\n{% system %}a{% endsystem %}{% enduser %}", 2, "inside"),
        ("{# only a comment #}", 1, "no message"),
        ("{% user %}\nok\n{{ broken\n{% enduser %}", 3, "unexpected end of template"),
    ],
)
def test_a_broken_prompt_is_told_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as failure:
        load_prompt(write(tmp_path, text))
    assert abs((failure.value.line or 0) - line) <= 1


def test_templates_are_sandboxed(tmp_path: Path) -> None:
    prompt = load_prompt(write(tmp_path, "{% user %}{{ passage.__class__.__mro__ }}{% enduser %}"))
    with pytest.raises(ConfigError):
        prompt.render(VALUES)


class TestPlaces:
    def test_each_variable_has_its_line(self, tmp_path: Path) -> None:
        path = write(tmp_path, "{# about #}\n{% system %}\nBe brief.\n{% endsystem %}\n{% user %}\n{{ passage }}\n{{ pasage }}\n"
                               "{% enduser %}\n")  # fmt: skip
        prompt = load_prompt(path)
        assert prompt.places == {"passage": (path, 6), "pasage": (path, 7)}
        assert str(prompt.error("pasage", "unknown")) == f"{path}:7: unknown"

    def test_of_an_included_file_and_after_it(self, tmp_path: Path) -> None:
        shared = write(tmp_path, "{# one\ntwo #}\n{% system %}\n{{ title }}\n{% endsystem %}\n\n", "shared.jinja")
        inner = write(tmp_path, "first\n{{ heading }}", "inner.jinja")
        path = write(
            tmp_path,
            '\n{% include "shared.jinja" %}\n{% user %}\n{{ passage }}\n{% include "inner.jinja" %}\n{% enduser %}',
        )
        places = load_prompt(path).places
        assert places == {"title": (shared, 4), "passage": (path, 4), "heading": (inner, 2)}

    @pytest.mark.parametrize(
        ("shared", "file", "line"),
        [("a\n", "shared.jinja", 1), ("\n{% system %}{{ x.{% endsystem %}", "shared.jinja", 2), ("{# fine #}", "ask.jinja", 3)],
    )  # fmt: skip
    def test_a_mistake_is_told_in_the_file_that_has_it(self, tmp_path: Path, shared: str, file: str, line: int) -> None:
        write(tmp_path, shared, "shared.jinja")
        with pytest.raises(ConfigError) as failure:
            load_prompt(write(tmp_path, '\n{% include "shared.jinja" %}\n{% user %}{{ broken {% enduser %}'))
        assert (failure.value.file, failure.value.line) == (tmp_path / file, line)

    def test_an_include_inside_of_a_block_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"ask\.jinja:2: includes 'gone\.jinja', which is not there"):
            load_prompt(write(tmp_path, '{% user %}\n{% include "gone.jinja" %}{% enduser %}'))

    def test_of_a_yaml_prompt(self, tmp_path: Path) -> None:
        path = write(tmp_path, "- role: user\n  content: hi\n- role: user\n  content: '{text}'\n", "filter.yaml")
        assert load_prompt(path).places == {"passage": (path, 3)}


class TestIncludes:
    def test_the_blocks_of_another_file_come_in_place(self, tmp_path: Path) -> None:
        write(tmp_path, "{# shared #}\n{% system %}S{% endsystem %}\n", "shared.jinja")
        path = write(
            tmp_path, '{% system %}F{% endsystem %}\n{% include "shared.jinja" %}\n{% user %}{{ passage }}{% enduser %}'
        )
        prompt = load_prompt(path)
        assert [message.content for message in prompt.render(VALUES)] == ["F", "S", "P"]

    def test_a_change_of_the_included_file_changes_the_fingerprint(self, tmp_path: Path) -> None:
        write(tmp_path, "{% system %}S{% endsystem %}", "shared.jinja")
        path = write(tmp_path, '{% include "shared.jinja" %}\n{% user %}{{ passage }}{% enduser %}')
        before = load_prompt(path).fingerprint
        write(tmp_path, "{% system %}other{% endsystem %}", "shared.jinja")
        assert load_prompt(path).fingerprint != before

    def test_a_circle_is_refused(self, tmp_path: Path) -> None:
        path = write(tmp_path, '{% include "ask.jinja" %}\n{% user %}a{% enduser %}')
        with pytest.raises(ConfigError, match="includes itself"):
            load_prompt(path)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"gone\.jinja"):
            load_prompt(write(tmp_path, '{% include "gone.jinja" %}\n{% user %}a{% enduser %}'))


class TestAugmentoolkitYaml:
    TEXT = (
        "- role: system\n  content: |\n    Keep {{braces}} and {json}.\n- role: user\n  content: '{metadata}: {text}'\n"
    )

    def test_it_reads_text_and_metadata(self, tmp_path: Path) -> None:
        prompt = load_prompt(write(tmp_path, self.TEXT, "filter.yaml"))
        assert prompt.variables == {"passage", "title"}
        rendered = prompt.render({**VALUES, "passage": "{metadata} {{x}}"})
        assert [message.content for message in rendered] == ["Keep {braces} and {json}.", "T: {metadata} {{x}}"]

    def test_it_is_found_before_the_shipped_prompt_of_that_name(self, tmp_path: Path) -> None:
        write(tmp_path, self.TEXT, "prompts/filter.yaml")
        assert PromptLibrary(Project(tmp_path)).load("filter").path == tmp_path / "prompts" / "filter.yaml"

    def test_a_message_without_content_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="needs a role"):
            load_prompt(write(tmp_path, "- role: user\n", "filter.yaml"))


def test_a_missing_prompt_lists_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="prompt 'nothing' not found") as failure:
        PromptLibrary(Project(tmp_path), ["mine", "prompts"]).load("nothing")
    assert str(tmp_path / "mine" / "nothing.jinja") in str(failure.value)


def test_an_include_that_sets_names_keeps_them_and_others_become_part_of_the_prompt(tmp_path: Path) -> None:
    write(tmp_path, "{% set word = 'inside' %}{{ word }}", "setting.jinja")
    write(tmp_path, "{% for each in [1, 2] %}{{ each }}{% endfor %}", "loop.jinja")
    write(tmp_path, '{% if long %}[{% include "deep.jinja" %}]\n{% endif %}', "plain.jinja")
    write(tmp_path, "{{ passage }}\n", "deep.jinja")
    names = ("setting", "loop", "plain")
    includes = "".join(f'{{% include "{name}.jinja" %}}|' for name in names)
    prompt = load_prompt(
        write(tmp_path, f"{{% user %}}{{{{ word }}}}{{% for long in [1, 0] %}}{includes}{{% endfor %}}{{% enduser %}}")
    )
    [message] = prompt.render({"word": "outside", "passage": "P", "long": 1})
    assert message.content == "outsideinside|12|[P]\n|inside|12||"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_prompts_and_what_they_include_may_be_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    files = {
        "ask.jinja": '{% include "top.jinja" %}\n{% user %}\nFür {{ passage }}: {% include "inside.jinja" %}\n{% enduser %}\n',
        "top.jinja": "{% system %}\nGrüße\n{% endsystem %}\n",
        "inside.jinja": "größer",
        "old.yaml": "- role: user\n  content: 'Für {text}'\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode(encoding))
    assert load_prompt(tmp_path / "ask.jinja").render(VALUES) == (
        Message("system", "Grüße"),
        Message("user", "Für P: größer"),
    )
    assert load_prompt(tmp_path / "old.yaml").render(VALUES) == (Message("user", "Für P"),)


@pytest.mark.parametrize("name", ["ask.jinja", "ask.yaml"])
def test_a_damaged_prompt_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("{# größer, für #}\n".encode() + b"{# \xff #}\n")
    with pytest.raises(ConfigError, match="damaged") as refused:
        load_prompt(tmp_path / name)
    assert (refused.value.line, refused.value.column) == (2, 4)


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "../../secret.txt"])
def test_a_message_includes_nothing_from_outside_of_the_prompt_folders(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "foreign.jinja").write_text(f"{{% user %}}{{% include '{name}' %}}{{{{ passage }}}}{{% enduser %}}")
    with pytest.raises(ConfigError) as raised:
        load_prompt(folder / "foreign.jinja")
    assert "which is not there" in str(raised.value) and "root:" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("{% user %}a{% enduser %}\nstray", 2, "text outside of a message: 'stray'"),
        ("{# a\nb #}\n\n  stray\nmore\n{% user %}a{% enduser %}", 4, "text outside of a message: 'stray'"),
        ("{% user %}a\nb{% enduser %}{# c\nd #} stray\n{% user %}{% enduser %}", 3, "text outside of a message: 'stray'"),
        ("\n\n{% user %}\na", 3, "{% user %} is never closed"),
        ("{% user %}\na\n{% endsystem %}", 1, "{% user %} is never closed"),
        ("{% user %}\n\n{% system %}a{% endsystem %}{% enduser %}", 3, "{% system %} inside {% user %}"),
        ("{% user %}{% system %}a{% endsystem %}{% enduser %}", 1, "{% system %} inside {% user %}"),
        ("{# only a comment #}", 1, "the prompt has no message"),
        ("\n{% user %}\nok\n{{ broken ! }}\n{% enduser %}", 4, "unexpected char '!'"),
        ("{% user %}{{ broken ! }}{% enduser %}", 1, "unexpected char '!'"),
        ('{% user %}a{% enduser %}\n{% include "shared.jinja" %}\n\n{% user %}\nb{{ ! }}{% enduser %}', 5, "unexpected char"),
        ('{% include "shared.jinja" %}\n{% include "shared.jinja" %}\n{% user %}\nb{{ ! }}{% enduser %}', 4, "unexpected char"),
        ('{% include "shared.jinja" %}\n{% user %}a{% enduser %}\nstray', 3, "text outside of a message"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_the_very_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    write(tmp_path, "{# two\nlines #}\n{% system %}\nS\n{% endsystem %}\n\n", "shared.jinja")
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as failure:
        load_prompt(path)
    assert message in str(failure.value)
    assert (failure.value.file, failure.value.line) == (path, line)


@pytest.mark.parametrize(("shared", "line"), [("stray", 1), ("\n\nstray\n", 3)])
def test_a_mistake_in_what_is_included_after_others_is_told_there(tmp_path: Path, shared: str, line: int) -> None:
    write(tmp_path, "\n{% system %}\nS\n{% endsystem %}\n", "first.jinja")
    inner = write(tmp_path, shared, "inner.jinja")
    write(tmp_path, '{# 1 #}\n{% include "first.jinja" %}\n{% include "inner.jinja" %}', "outer.jinja")
    with pytest.raises(ConfigError) as failure:
        load_prompt(
            write(tmp_path, '{% include "first.jinja" %}\n{% include "outer.jinja" %}\n{% user %}a{% enduser %}')
        )
    assert (failure.value.file, failure.value.line) == (inner, line)


class TestWhatABlockIncludes:
    @pytest.mark.parametrize(
        ("statement", "more"),
        [('{% include "a.jinja" %}', {"one"}), ('{% include ["a.jinja", "b.jinja"] %}', {"one", "two"}),
         ('{% include passage %}', set()), ('{% import "a.jinja" as a %}', {"one"}),
         ('{% from "b.jinja" import x %}', {"two"})],
    )  # fmt: skip
    def test_what_it_reads_is_read_by_the_prompt(self, tmp_path: Path, statement: str, more: set[str]) -> None:
        write(tmp_path, "{{ one }}", "a.jinja")
        write(tmp_path, "{% set x = 1 %}{{ two }}", "b.jinja")
        prompt = load_prompt(write(tmp_path, f"{{% user %}}{{{{ passage }}}}{statement}{{% enduser %}}"))
        assert prompt.variables == {"passage"} | more

    def test_a_name_that_it_sets_itself_is_none(self, tmp_path: Path) -> None:
        text = "{% user %}{% set mood = title %}{{ mood }}{{ range(2)|list }}{% enduser %}"
        assert load_prompt(write(tmp_path, text)).variables == {"title"}

    def test_the_folders_are_looked_through_in_order_after_its_own(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            write(tmp_path, name, f"{name}/a.jinja")
        path = write(tmp_path, '{% user %}{% include "a.jinja" %}{% enduser %}', "own/ask.jinja")
        roots = [tmp_path / "two", tmp_path / "one"]
        assert load_prompt(path, roots=roots).render({}) == (Message("user", "two"),)
        write(tmp_path, "own", "own/a.jinja")
        assert load_prompt(path, roots=roots).render({}) == (Message("user", "own"),)

    def test_a_change_of_it_changes_the_fingerprint(self, tmp_path: Path) -> None:
        path = write(tmp_path, '{% user %}{% include "a.jinja" %}{% enduser %}')
        prints = set()
        for text in ("one", "two"):
            write(tmp_path, text, "a.jinja")
            prints.add(load_prompt(path).fingerprint)
        assert len(prints) == 2


def test_a_block_is_written_without_the_lines_of_its_statements(tmp_path: Path) -> None:
    text = "{%- user -%}\n\n  a\n  {% if passage %}\n  b\n  {% endif %}\nc\n\n{%- enduser -%}\n"
    assert load_prompt(write(tmp_path, text)).render(VALUES) == (Message("user", "a\n  b\nc"),)


def test_blocks_keep_their_order_and_each_variable_its_first_place(tmp_path: Path) -> None:
    text = "{% user %}{{ title }}{% enduser %}{% assistant %}b{% endassistant %}\n{% user %}{{ title }}{{ page }}{% enduser %}"
    path = write(tmp_path, text)
    prompt = load_prompt(path)
    assert [(each.role, each.content) for each in prompt.render(VALUES)] == [
        ("user", "T"),
        ("assistant", "b"),
        ("user", "T1"),
    ]
    assert prompt.places == {"title": (path, 1), "page": (path, 2)}
    assert prompt.constant_prefix == ()


def test_what_no_line_reads_is_told_with_the_file_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "{% user %}a{% enduser %}")
    failure = load_prompt(path).error("heading", "unknown", "leave it out")
    assert (failure.file, failure.line, failure.hint) == (path, None, "leave it out")


def test_a_prompt_is_read_once_and_known_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, "{% user %}mine{% enduser %}", "mine/own.jinja")
    write(tmp_path, "- {role: user, content: other}", "mine/own.yaml")
    write(tmp_path, "{% user %}later{% enduser %}", "prompts/own.jinja")
    library = PromptLibrary(Project(tmp_path), ["mine"])
    assert library.load("own").render({}) == (Message("user", "mine"),)
    assert library.load("own") is library.load("own")
    assert library.load("own").name == "own" and load_prompt(tmp_path / "mine" / "own.yaml").name == "own"
    assert library.load("own.yaml").render({}) == (Message("user", "other"),)


class TestYamlMistakes:
    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [("role: user", 1, "is a list"), ("[]", 1, "is a list"), ("\n# none\n", 1, "is a list"),
         ("- role: user\n  content: a\n- 3\n", 3, "needs a role"), ("- role: user\n  content: a\n\n- role: tool\n  content: a\n", 4, "needs a role"),
         ("- role: user\n  content: 3\n", 1, "needs a role")],
    )  # fmt: skip
    def test_they_are_told_with_the_line(self, tmp_path: Path, text: str, line: int, message: str) -> None:
        path = write(tmp_path, text, "filter.yaml")
        with pytest.raises(ConfigError, match=message) as failure:
            load_prompt(path)
        assert (failure.value.file, failure.value.line) == (path, line)

    def test_each_variable_has_the_place_of_its_first_message(self, tmp_path: Path) -> None:
        text = "- {role: system, content: ' {{a}} {b} '}\n- {role: user, content: '{text} {{text}}'}\n- {role: user, content: '{text} {metadata}'}\n"
        path = write(tmp_path, text, "filter.yml")
        prompt = load_prompt(path)
        assert prompt.places == {"passage": (path, 2), "title": (path, 3)}
        assert [each.content for each in prompt.render(VALUES)] == ["{a} {b}", "P {text}", "P T"]
        assert prompt.constant_prefix == (Message("system", "{a} {b}"),)
