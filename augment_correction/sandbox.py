"""Jinja2 templates of strangers: sandboxed, and bounded in steps and in size.

A prompt or a tokenizer from a hub brings templates that are run here. Jinja2's sandbox keeps them from Python's inside;
it does not keep them from running for ever (`range` is bounded, two of them inside each other are not) or from filling
the memory (`'a'|center(10**10)`, `10**10**10`, a list of itself and itself, forty times). So every round of a loop, every
call, filter, operator and literal is counted as it happens, and sizes are looked at before something is made that would be
too large. Steps are counted and not seconds: what is refused on one machine is refused on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from itertools import chain
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

STEPS = 1_000_000
"""Of one rendering, about a second."""
SIZE = 4 << 20
"""Characters of a text, or of a list with all that is in it."""
THING = 20
"""Characters that a thing in a list counts as."""
CHARACTERS_A_STEP = 100
"""What is looked at or copied costs steps too: 100 MB of text in all."""
DIGITS = 10_000
"""Bits of a whole number: Python's own limit for writing one is of this order."""
_NUMBERS = re.compile(r"\d+")
FAILURES = (
    jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, MemoryError,
)  # fmt: skip
"""Whatever a template may fail with while it renders; all of it is the template's fault."""
_LEFT: ContextVar[list[int] | None] = ContextVar("steps that are left", default=None)


def render(template: jinja2.Template, values: Mapping[str, Any]) -> str:
    """Raises: one of `FAILURES`; SecurityError where the template does more than it may."""
    pieces, size = [], 0
    with _counting():
        for piece in template.generate(values):
            size += len(piece)
            if size > SIZE:
                _refuse_over(size, SIZE, "writes more than {:,} characters")
            pieces.append(piece)
    return "".join(pieces)


class BoundedSandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        # Constants would be folded while the template is compiled, where nothing is counted.
        super().__init__(optimized=False, finalize=_counted, **options)
        for name, function in list(self.filters.items()):
            self.filters[name] = _guarded(name, function)
        self.filters["_counted"], self.filters["_rounds"] = _counted, _rounds
        self.globals.pop("lipsum")
        self.globals["range"] = _range

    def add_filter(self, name: str, function: Callable[..., Any]) -> None:
        self.filters[name] = _guarded(name, function)

    def call(self, context: Context, called: Any, /, *args: Any, **named: Any) -> Any:
        subject = getattr(called, "__self__", None)
        given = (*args, *named.values())
        if isinstance(subject, str):
            _look_ahead(called.__name__, subject, given)
        _count(_measured((subject if isinstance(subject, str) else None, given)))
        return _counted(super().call(context, called, *args, **named))

    def call_binop(self, context: Context, sign: str, left: Any, right: Any) -> Any:
        if sign == "**":
            _refuse_over(
                _bits(left) * abs(right) if isinstance(right, int) else 0, DIGITS, "makes a number of over {:,} bits"
            )
        elif sign == "*":
            for sequence, times in ((left, right), (right, left)):
                if isinstance(times, int) and isinstance(sequence, str | list | tuple):
                    _refuse_over(_measured(sequence) * times, SIZE, "makes a text or list of over {:,} characters")
        elif sign == "%" and isinstance(left, str):
            _look_ahead("format", left, right if isinstance(right, tuple) else (right,))
        made = super().call_binop(context, sign, left, right)
        _refuse_over(_bits(made), DIGITS, "makes a number of over {:,} bits")
        return _counted(made)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        @wraps(wrapped)
        def format_(*args: Any, **named: Any) -> str:
            given = (*args, *named.values())
            _look_ahead("format", value.__self__, given)
            _count(_measured(given))
            return str(wrapped(*args, **named))

        return format_

    def parse(self, *args: Any, **named: Any) -> nodes.Template:
        with _not_too_deep():
            return super().parse(*args, **named)

    def compile(self, *args: Any, **named: Any) -> Any:
        with _not_too_deep():
            return super().compile(*args, **named)

    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:
        _Counted(self).visit(source)
        return super()._generate(source, *args, **named)


class _Counted(NodeTransformer):
    """Puts the counting into a parsed template: around what a loop goes through, literals, joined and compared texts."""

    def __init__(self, environment: jinja2.Environment) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        constant = sum(len(text.data) for text in node.find_all(nodes.TemplateData))
        node.iter = self._through("_rounds", node.iter, nodes.Const(1 + constant // CHARACTERS_A_STEP))
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:
        self.generic_visit(node)
        node.expr = self._through("_counted", node.expr)
        return node

    def _whole(self, node: nodes.Expr) -> nodes.Expr:
        self.generic_visit(node)
        stored = isinstance(node, nodes.Tuple) and node.ctx != "load"  # `for key, value in ...`
        return node if stored else self._through("_counted", node)

    visit_List = visit_Tuple = visit_Dict = visit_Concat = visit_Getitem = _whole

    def _through(self, name: str, node: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
        made = nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)
        made.set_environment(self._environment)
        return made


@contextmanager
def _not_too_deep() -> Iterator[None]:
    """Python has limits of its own for what is nested."""
    try:
        yield
    except (RecursionError, MemoryError, SyntaxError) as failure:
        raise jinja2.TemplateSyntaxError(f"nested too deeply: {type(failure).__name__}", 1) from None


# -------------------------------------------------------------------------------------------------- counting


@contextmanager
def _counting() -> Iterator[None]:
    token = _LEFT.set([STEPS])
    try:
        yield
    finally:
        _LEFT.reset(token)


def _count(size: int, steps: int = 1) -> None:
    left = _LEFT.get()
    if left is not None:
        left[0] -= steps + size // CHARACTERS_A_STEP
        if left[0] < 0:
            raise SecurityError(f"takes more than {STEPS:,} steps")


def _counted(value: Any) -> Any:
    _count(
        len(value) if type(value) is str and len(value) <= SIZE else _measured(value)
    )  # short: most of what is written
    return value


def _rounds(value: Iterable[Any], steps: int) -> Iterator[Any]:
    for each in value:
        _count(0, steps)
        yield each


def _range(*args: int) -> range:
    made = range(*args)
    _refuse_over(len(made), STEPS, "makes a range of over {:,}")
    return made


def _measured(value: Any) -> int:
    """Characters and things, what is in a list twice counted twice: `str()` of it would write it twice."""
    if isinstance(value, str):
        size = len(value)
    elif isinstance(value, list | tuple | set | frozenset | dict):
        size = 0
        waiting: list[Iterator[Any]] = [iter((value,))]
        while waiting and size <= SIZE:
            each = next(waiting[-1], waiting)
            if each is waiting:
                waiting.pop()
                continue
            size += THING + (len(each) if isinstance(each, str) else 0)
            if isinstance(each, dict):
                waiting.append(chain(each.keys(), each.values()))
            elif isinstance(each, list | tuple | set | frozenset):
                waiting.append(iter(each))
    else:
        size = 1
    _refuse_over(size, SIZE, "makes a text or list of over {:,} characters")
    return size


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _refuse_over(found: int, most: int, words: str) -> None:
    if found > most:
        raise SecurityError(words.format(most))


# ----------------------------------------------------------------------------- what makes much out of little


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter, with its arguments looked at before and its result after. `wraps` keeps what Jinja2 marks it with."""

    @wraps(function)
    def guarded(*args: Any, **named: Any) -> Any:
        given = [
            each
            for each in (*args, *named.values())
            if not isinstance(each, Context | EvalContext | jinja2.Environment)
        ]
        subject = given[0] if given and isinstance(given[0], str) else ""
        _look_ahead(name, subject, given[1:] if subject else given)
        _count(sum(_measured(each) for each in given))
        return _counted(function(*args, **named))

    return guarded


def _look_ahead(name: str, subject: str, given: Sequence[Any]) -> None:
    """Refuses a call of a text's method, or of a filter of the same name, whose result would be too large."""
    longest = max((len(each) for each in given if isinstance(each, str)), default=0)
    number = max((abs(each) for each in given if isinstance(each, int)), default=0)
    size = len(subject)
    if name == "replace" and len(given) > 1 and all(isinstance(each, str) for each in given[:2]):
        size += (len(subject) // max(len(given[0]), 1) + 1) * len(given[1])
    elif name == "join":
        size += max(len(subject), longest) * max((len(each) for each in given if hasattr(each, "__len__")), default=0)
    elif name in ("format", "format_map"):
        fields = subject.count("%") + subject.count("{")
        size += sum(int(each[:9]) for each in _NUMBERS.findall(subject)) + fields * (number + longest)
    elif name in ("expandtabs", "indent", "tojson", "translate", "wordwrap", "urlize", "xmlattr"):
        size = (size + _measured(given)) * (number + 1)
    else:
        size += number
    _refuse_over(size, SIZE, "makes a text of over {:,} characters")
