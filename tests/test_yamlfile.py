"""Strict YAML: what is refused, and that the place is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.errors import ConfigError, Mistakes
from augment_correction.sampling import Declaration
from augment_correction.yamlfile import YamlFile, parse_yaml

HERE = Path("here.yaml")


class Inner(Declaration):
    chunk_size: int = 1


class Outer(Declaration):
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()


def place(failure: pytest.ExceptionInfo[ConfigError]) -> tuple[int | None, int | None]:
    return failure.value.line, failure.value.column


def test_words_that_yaml_1_1_takes_for_booleans_stay_words() -> None:
    assert parse_yaml("a: yes\nb: no\nc: on\nd: off\ne: true\nf: False", HERE).data == {
        "a": "yes", "b": "no", "c": "on", "d": "off", "e": True, "f": False,
    }  # fmt: skip


def test_learning_rates_are_numbers() -> None:
    assert parse_yaml("lr: 1e-4", HERE).data == {"lr": 1e-4}


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'a' occurs twice") as failure:
        parse_yaml("a: 1\nb: 2\na: 3", HERE)
    assert place(failure) == (3, 1)


@pytest.mark.parametrize("value", ["!!PLACEHOLDER!!", "./in/!!PLACEHOLDER!!", '"!!PLACEHOLDER!!"'])
def test_a_placeholder_left_in_names_its_key(value: str) -> None:
    with pytest.raises(ConfigError, match=r"'api\.key' is still a !!PLACEHOLDER!!") as failure:
        parse_yaml(f"api:\n  key: {value}", HERE)
    assert failure.value.line == 2


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(ConfigError, match=r"here\.yaml:2:") as failure:
        parse_yaml("a: 1\nb: [", HERE)
    assert failure.value.hint


@pytest.mark.parametrize("text", ["[" * 2000, "a: " + "[" * 1500 + "]" * 1500, "- " * 2000, "{a: " * 2000])
def test_what_nests_too_deep_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="nested too deep") as failure:
        parse_yaml(text, HERE)
    assert failure.value.file == HERE and "close the brackets" in (failure.value.hint or "")


def test_an_unknown_key_asks_did_you_mean() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'inner\.chunk_sise'") as failure:
        parse_yaml("inner:\n  chunk_sise: 3", HERE).validate(Outer)
    assert place(failure) == (2, 3)
    assert failure.value.hint == "did you mean 'chunk_size'?"


def test_every_problem_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError) as failure:
        parse_yaml("items:\n  - chunk_size: x\n  - chunk_size: 1\n    other: 2", HERE).validate(Outer)
    assert isinstance(failure.value, Mistakes)
    assert [each.message.partition(" ")[0] for each in failure.value.problems] == ["here.yaml:2:5:", "here.yaml:4:5:"]
    assert failure.value.message.startswith("2 mistakes\n  here.yaml:2:5: 'items.0.chunk_size'")
    assert "here.yaml:4:5: unknown key 'items.1.other'\n    remedy: known here: chunk_size" in failure.value.message


def test_merge_keys_work() -> None:
    text = "base: &base\n  chunk_size: 5\ninner:\n  <<: *base\n"
    assert parse_yaml(text, HERE).data["inner"] == {"chunk_size": 5}


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("a: x: y", 1, "quote the value"),
        ("a: %x", 1, "quote the value"),
        ("a: *x", 1, "quote the value"),
        ('a: "x" y', 1, "quote the value"),
        ("a:\n  b: 1\n   c: 2", 3, "check the indentation"),
        ("a:\n  b: 1\n c: 2", 3, "check the indentation"),
        ("a: 1\n  b: 2", 2, "check the indentation"),
        ("a:\n  b: 1\n  - c", 3, "check the indentation"),
        ("a:\n  - b: 1\n   - b: 2", 3, "check the indentation"),
        ("key\nb: 1", 2, "the line above needs its colon"),
        ("a:\n\tb: 1", 2, "indented with spaces: replace the tab"),
        ("a: {b: 1\nc: 2", 2, "close the bracket"),
        ("a: 1\nb: [", 2, "close the quote or the bracket"),
        ("a: 'x", 1, "close the quote or the bracket"),
    ],
)
def test_the_remedy_of_a_syntax_error_is_for_its_cause(text: str, line: int, remedy: str) -> None:
    with pytest.raises(ConfigError) as failure:
        parse_yaml(text, HERE)
    assert failure.value.line == line
    assert remedy in (failure.value.hint or "")


class TestOverrides:
    TEXT = "inner:\n  chunk_size: 1\nitems: []\nempty:\n"

    def file(self) -> YamlFile:
        return parse_yaml(self.TEXT, HERE)

    def test_a_wrong_value_is_blamed_on_the_option_that_gave_it(self) -> None:
        file = self.file()
        file.override(("inner", "chunk_size"), "x", "--set inner.chunk_size")
        with pytest.raises(ConfigError, match=r"^--set inner\.chunk_size: 'inner\.chunk_size'") as failure:
            file.validate(Outer, {"inner": file.data["inner"]})
        assert failure.value.line is None

    def test_so_is_what_lies_inside_of_it_and_what_is_not_in_the_file(self) -> None:
        file = self.file()
        file.override(("inner",), {"chunk_size": 1, "other": 2}, "--set inner")
        file.override(("cost", "small"), 1, "--set cost.small")
        assert str(file.error(("inner", "other"), "unknown")) == "--set inner: unknown"
        assert str(file.error(("cost",), "one is missing")) == "--set cost.small: one is missing"

    def test_the_files_own_mistakes_stay_the_files(self) -> None:
        file = self.file()
        file.override(("items",), [], "--set items")
        assert str(file.error(("inner", "chunk_size"), "wrong")) == "here.yaml:2:3: wrong"

    def test_an_empty_section_is_filled(self) -> None:
        file = self.file()
        file.override(("empty", "a", "b"), 1, "--set empty.a.b")
        assert file.data["empty"] == {"a": {"b": 1}}

    def test_what_holds_no_section_is_said(self) -> None:
        with pytest.raises(ConfigError, match=r"--set inner\.chunk_size\.x: 'chunk_size' is not a section"):
            self.file().override(("inner", "chunk_size", "x"), 1, "--set inner.chunk_size.x")


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['touch RAN']", "!!python/name:os.system", "!evil {}"]
)
def test_no_object_of_python_is_made(tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        found = parse_yaml(f"a: {tag}", HERE).data["a"]
    except ConfigError:
        found = None
    assert type(found) in (type(None), str, list, dict) and not Path("RAN").exists()
