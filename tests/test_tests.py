"""A test that asserts nothing, or compares a thing with itself, notices nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def asserts(function: Function) -> bool:
    """In itself: `assert`, or a context of pytest's that fails where nothing is raised."""
    return any(
        isinstance(node, ast.Assert | ast.Raise)
        or (isinstance(node, ast.Attribute) and node.attr in ("raises", "warns", "fail"))
        for node in ast.walk(function)
    )


def called(function: Function) -> set[str]:
    """Plain functions: a method's name does not tell whose it is."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {name.id for name in calls if isinstance(name, ast.Name)}


def test_every_test_asserts_something() -> None:
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(HERE.rglob("*.py"))}
    asserting = {each.name for tree in trees.values() for each in functions(tree) if asserts(each)}
    tests = [
        (path, each)
        for path, tree in trees.items()
        if path.name.startswith("test_")
        for each in functions(tree)
        if each.name.startswith("test")
    ]
    assert len(tests) > 1500
    silent = [
        f"{path.relative_to(HERE)}:{each.lineno}: {each.name}"
        for path, each in tests
        if not asserts(each) and not called(each) & asserting
    ]
    assert silent == []


def test_none_compares_a_name_with_itself_or_asserts_a_constant() -> None:
    """Two calls of one function may differ, and are compared to show that they do not."""
    found = []
    for path in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assert) and isinstance(
                node.test, ast.Constant | ast.Tuple | ast.List | ast.JoinedStr
            ):
                found.append(f"{path.name}:{node.lineno}")
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                plain = [
                    ast.dump(side)
                    for side in sides
                    if not any(isinstance(n, ast.Call | ast.Await) for n in ast.walk(side))
                ]
                found += [f"{path.name}:{node.lineno}"] if len(plain) > len(set(plain)) else []
    assert found == []
