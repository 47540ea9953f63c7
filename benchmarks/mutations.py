"""Small mistakes put into a module's text, one at a time: what a tired programmer might have written instead."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any"}
OTHER_WORD = {"COMMIT": "ROLLBACK", "ROLLBACK": "COMMIT"}
DROPPED = (ast.Raise, ast.Return, ast.Continue, ast.Break, ast.AugAssign)
MOST = 10
"""Larger numbers are sizes, time-outs and bounds that were measured: one more or less of them is as good."""
FORM_ONLY = {"strict", "slots", "frozen", "daemon", "exist_ok"}
"""Arguments that guard against mistakes elsewhere in the code and decide nothing themselves."""


class Mutation(NamedTuple):
    """`function`: the first line of the function it is in, a decorator's where there is one; 0 outside of all. `row`: the
    text of its line. `place`: 1, or more where the same was done to the same words before it in this line."""

    function: int
    line: int
    row: str
    was: str
    becomes: str
    source: str
    place: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What it is known by however many lines come before it."""
        return self.row, self.was, self.becomes, self.place


def mutations(source: str) -> list[Mutation]:
    rows = source.encode().splitlines(keepends=True)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    made: list[Mutation] = []
    seen: Counter[tuple[int, str, str]] = Counter()
    for node, function, becomes in _walk(ast.parse(source), 0):
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None and node.end_col_offset is not None
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        raw = source.encode()
        text = (raw[:begin] + becomes.encode() + raw[end:]).decode()
        was = " ".join(raw[begin:end].decode().split())
        row = rows[node.lineno - 1].decode().strip()
        seen[node.lineno, was, becomes] += 1
        place = seen[node.lineno, was, becomes]
        made.append(Mutation(function, node.lineno, row, was, becomes, text, place))
    return made


def _walk(node: ast.AST, function: int) -> Iterator[tuple[ast.AST, int, str]]:
    """What stands in f-strings, types and decorators is left: it is shown or checked, and decides nothing."""
    if isinstance(node, ast.JoinedStr):
        return
    for becomes in _instead(node):
        yield node, function, becomes
    inside = function
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inside = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or (
            name == "test" and "TYPE_CHECKING" in ast.dump(node)
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(child, ast.keyword) and child.arg in FORM_ONLY):
                yield from _walk(child, inside if name == "body" else function)


def _instead(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare(left, ops, comparators):
            for place, op in enumerate(ops):
                other = [*ops[:place], OTHER_COMPARISON[type(op)](), *ops[place + 1 :]]
                yield f"({ast.unparse(ast.Compare(left, other, comparators))})"
        case ast.BoolOp(op, values):
            yield f"({ast.unparse(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))})"
        case ast.UnaryOp(ast.Not(), operand):
            yield f"({ast.unparse(operand)})"
        case ast.Constant(bool(value)):
            yield str(not value)
        case ast.Constant(int(value) | float(value)) if abs(value) <= MOST:
            yield from (f"({value + 1!r})", f"({value - 1!r})")
        case ast.Constant(str(value)) if value in OTHER_WORD:
            yield repr(OTHER_WORD[value])
        case ast.Name(id=name) if name in OTHER_NAME:
            yield OTHER_NAME[name]
        case ast.Expr(ast.Call() | ast.Await()) | ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "pass"
        case ast.stmt() if isinstance(node, DROPPED):
            yield "pass"
