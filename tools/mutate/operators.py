"""The mutants of a module: every place in its syntax tree where one operator, number or condition can be another.

Annotations, docstrings, the texts of errors (f-strings) and `strict=` are left out: they compute nothing.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import NamedTuple

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
DEFAULTS = {"int": 0, "bool": False, "str": ""}  # by annotation of the return; others return None or ()
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment"}


class Mutant(NamedTuple):
    """One fault: where it is, the text of the change, and the number by which `compiled` repeats it."""

    file: str  # below the checkout
    line: int
    function: str  # '' outside of functions
    start: int  # first line of the statement inside of the function, 0 outside
    change: str
    number: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it after changes elsewhere in its file."""
        return self.file, self.function, self.change

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function or 'module'}: {self.change}"


def mutants(root: Path, file: str) -> list[Mutant]:
    """Return all mutants of a module."""
    text = (root / file).read_text()
    return [
        Mutant(file, old.lineno, _scope(stack), line if _scope(stack) else 0, _change(text, old, new), number)
        for number, (stack, line, old, new, _) in enumerate(_sites(ast.parse(text)))
    ]


def _change(text: str, old: ast.AST, new: ast.AST) -> str:
    """Return the change, and of a short one the line around it, with an ellipsis in its place."""
    change, line = f"{_text(old)} -> {_text(new)}", text.splitlines()[old.lineno - 1]
    if len(change) > 25 or old.end_lineno != old.lineno:
        return change
    start, stop = (len(line.encode()[:offset].decode()) for offset in (old.col_offset, old.end_col_offset))
    return f"{change} in `{line[:start].lstrip()}...{line[stop:]}`"


def compiled(root: Path, mutant: Mutant) -> CodeType:
    """Return the code of a module with one fault."""
    path = root / mutant.file
    tree = ast.parse(path.read_text())
    for number, (*_, new, put) in enumerate(_sites(tree)):
        if number == mutant.number:
            put(new)
            break
    return compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)


def _sites(tree: ast.Module) -> Iterator[tuple[list[ast.AST], int, ast.AST, ast.AST, Callable[[ast.AST], None]]]:
    """Yield (functions and classes around it, line of its statement, node, mutated node, how to put it in the tree)."""

    def inside(node: ast.AST, stack: list[ast.AST], line: int) -> Iterator:
        is_scope = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        for field, value in ast.iter_fields(node):
            if field in SKIPPED_FIELDS or isinstance(node, ast.JoinedStr) or getattr(node, "arg", "") == "strict":
                continue
            # Defaults of parameters are computed outside of the function.
            within = [*stack, node] if is_scope and field not in ("args", "bases") else stack
            for child, put in _children(node, field, value):
                if isinstance(child, ast.AST) and not _computes_nothing(child):
                    at = child.lineno if isinstance(child, ast.stmt) else line
                    for new in _variants(child, within):
                        yield within, at, child, ast.copy_location(new, child), put
                    yield from inside(child, within, at)

    yield from inside(tree, [], 0)


def _children(node: ast.AST, field: str, value: object) -> Iterator[tuple[object, Callable[[ast.AST], None]]]:
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield child, lambda new, index=index: value.__setitem__(index, new)
    else:
        yield value, lambda new: setattr(node, field, new)


def _computes_nothing(node: ast.AST) -> bool:
    """Whether it is an import, a docstring or an alias of a type."""
    if isinstance(node, ast.Assign):
        node = node.value
        return isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in {"Literal", "tuple", "Callable"}
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or isinstance(node, (ast.Import, ast.ImportFrom, ast.Raise))


def _variants(node: ast.AST, stack: list[ast.AST]) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in COMPARISONS:
            yield _with(node, ops=[COMPARISONS[type(operator)]()])
        case ast.Compare(ops=operators):
            for index, operator in enumerate(operators):
                changed = [*operators[:index], COMPARISONS[type(operator)](), *operators[index + 1 :]]
                yield _with(node, ops=changed)
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(operator)]())
            if isinstance(node, ast.BinOp) and isinstance(operator, ast.FloorDiv):
                yield _negative(_with(node, left=_negative(node.left)))
        case ast.UnaryOp(op=ast.USub(), operand=ast.BinOp(left=ast.UnaryOp(op=ast.USub()), op=ast.FloorDiv())):
            yield _with(node.operand, left=node.operand.left.operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            yield copy.deepcopy(operand)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield copy.deepcopy(operand)
        case ast.BoolOp(op=operator):
            yield _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _with(node, func=ast.Name(CALLS[name], ast.Load()))
        case ast.Slice(lower=lower, upper=upper):
            for field, bound in (("lower", lower), ("upper", upper)):
                if bound is not None and not isinstance(bound, ast.Constant):
                    yield _with(node, **{field: ast.BinOp(bound, ast.Add(), ast.Constant(1))})
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            if isinstance(test, (ast.Name, ast.Attribute, ast.Call)):
                yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            # The expression stays in the code, so that the function keeps its free variables.
            yield ast.Return(ast.IfExp(ast.Constant(True), ast.Constant(_default(stack)), copy.deepcopy(value)))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.deepcopy(node)
    for field, value in fields.items():
        setattr(new, field, value)
    return new


def _negative(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), copy.deepcopy(node))


def _default(stack: list[ast.AST]) -> object:
    returns = getattr(stack[-1], "returns", None) if stack else None
    return DEFAULTS.get(ast.unparse(returns)) if returns is not None else None


def _scope(stack: list[ast.AST]) -> str:
    """Return the qualified name of the innermost function, '' outside of functions."""
    functions = [index for index, node in enumerate(stack) if not isinstance(node, ast.ClassDef)]
    return ".".join(node.name for node in stack[: functions[-1] + 1]) if functions else ""


def _text(node: ast.AST) -> str:
    """Return the first line of a node's source: of statements the line that is changed."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.IfExp) and isinstance(node.value.test, ast.Constant):
        return f"return {ast.unparse(node.value.body)}"
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0]
