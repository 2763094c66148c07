"""Figures of how the package is built: sizes, knots, and every place where a piece of mathematics is written.

    python tools/structure.py                        # this checkout, with all places
    python tools/structure.py ../before . --table    # two checkouts side by side, figures alone

Mathematics is recognised in the syntax tree, so a place is a hint and not a proof: each is printed as
``file:line function``, for the reader to judge. In C it is recognised by the name of a function. New names change
figures: read the places before comparing two figures.
"""

from __future__ import annotations

import argparse
import ast
import graphlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MOST_PARAMETERS, MOST_LINES = 7, 40
KERNEL = re.compile(r"kernel|taps|weight|factor|filter", re.IGNORECASE)
KINDS = {"edge", "symmetric", "reflect", "wrap"}  # of boundaries that have an arithmetic of their own
EXCLUDED = ("arrayconv._cli", "arrayconv.testing")  # commands and definitions: no part of a call
LOOPS = ("rows", "tiles", "images")
# What a function of the C code does, by its name.
C_NAMES = {
    "zero padding": re.compile(r"zero|extend|pad(?!d?ress)|frame"),
    "kernel reversal": re.compile(r"turn|flip|revers"),
    "NaN containment": re.compile(r"finite|nan|contain"),
    "bias": re.compile(r"bias"),
    "boundary arithmetic": re.compile(r"beyond|border|bound|wrap|reflect|symmetric"),
}
C_FUNCTION = re.compile(
    r"^(?:static |inline |extern |__attribute__\S* )*[\w\s*()]*?\b(\w+)(?:\((\w+)\))?\([^;{]*\)\s*\{", re.M
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Place(NamedTuple):
    """Where something is written."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}"


class Module(NamedTuple):
    """A file of Python and its syntax tree."""

    file: str  # below the checkout
    name: str  # arrayconv._ops.pad
    tree: ast.Module
    lines: int


def modules(root: Path) -> list[Module]:
    """Return all modules of a checkout's package."""
    result: list[Module] = []
    for path in sorted((root / "arrayconv").rglob("*.py")):
        text, relative = path.read_text(), path.relative_to(root)
        parts = relative.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        result.append(Module(str(relative), name, ast.parse(text), text.count("\n")))
    return result


def functions(module: Module) -> Iterator[tuple[str, Function]]:
    """Yield every function of a module, with the names of the classes and functions around it."""

    def inside(node: ast.AST, outer: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            name = f"{outer}.{child.name}".lstrip(".") if named else outer
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield name, child
            yield from inside(child, name)

    return inside(module.tree, "")


def own(function: Function) -> list[ast.AST]:
    """Return the nodes of a function without those of functions inside it."""
    nodes: list[ast.AST] = []
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            nodes.append(node)
            stack += ast.iter_child_nodes(node)
    return nodes


def called(node: ast.AST) -> str:
    """Return the last name of the function that a node calls, '' for other nodes."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def names(node: ast.AST) -> set[str]:
    """Return all names and attributes in an expression."""
    parts = list(ast.walk(node))
    return {n.id for n in parts if isinstance(n, ast.Name)} | {n.attr for n in parts if isinstance(n, ast.Attribute)}


# ---- what each piece of mathematics looks like: the nodes of a function -> its lines ----


def padding(nodes: list[ast.AST]) -> list[int]:
    """Data copied into an array of one constant or joined with one; zeros assigned to a part; a call of `pad`.

    Not an array of one constant as a whole, nor additions to its elements: an accumulator begins at zero.
    """
    lines = [node.lineno for node in nodes if isinstance(node, ast.Call) and called(node) == "pad"]
    blank = _blanks(nodes)
    for node in nodes:
        if isinstance(node, ast.Assign):
            into = [target for target in node.targets if isinstance(target, ast.Subscript)]
            if isinstance(node.value, ast.Constant):
                written = [target for target in into if node.value.value == 0 and not _is_whole(target)]
            else:
                written = [t for t in into if names(t.value) & blank and not names(t.value) & names(node.value)]
            lines += [target.lineno for target in written]
        if isinstance(node, ast.Call) and called(node) in {"concat", "concatenate", "put", "set_at"}:
            if called(node) in {"put", "set_at"} and len(node.args) == 3 and names(node.args[0]) & names(node.args[2]):
                continue
            arguments = [part for argument in node.args for part in ast.walk(argument)]
            if any(map(_is_blank, arguments)) or any(
                isinstance(part, ast.Name) and part.id in blank for part in arguments
            ):
                lines.append(node.lineno)
    return lines


def _is_whole(target: ast.Subscript) -> bool:
    """Whether an index is ``...``."""
    return isinstance(target.slice, ast.Constant) and target.slice.value is ...


def _blanks(nodes: list[ast.AST]) -> set[str]:
    """Return the names of arrays of one constant, and of values computed from them."""
    blank: set[str] = set()
    for _ in range(2):
        for node in nodes:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                parts = list(ast.walk(node.value))
                if any(map(_is_blank, parts)) or any(isinstance(part, ast.Name) and part.id in blank for part in parts):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    blank.update(name for target in targets for name in names(target))
    return blank


def _is_blank(node: ast.AST) -> bool:
    """Whether a call makes an array of one constant."""
    has_zeros = isinstance(node, ast.Call) and any(
        keyword.arg == "zeros" and getattr(keyword.value, "value", False) is True for keyword in node.keywords
    )
    return has_zeros or called(node) in {"zeros", "full", "zeros_like", "full_like", "new_zeros"}


def reversal(nodes: list[ast.AST]) -> list[int]:
    """A flip, a slice of step -1 among several, or alone on a name of a kernel; no mirror of a boundary."""
    if any(isinstance(node, ast.Compare) and "step" in names(node.left) for node in nodes):
        return []
    lines = []
    for node in nodes:
        if isinstance(node, ast.Call) and (
            called(node) in {"flip", "flipud", "fliplr"}
            or (called(node) == "slice" and len(node.args) == 3 and _is_backwards(node.args[2]))
        ):
            lines.append(node.lineno)
        if isinstance(node, ast.Subscript):
            several = isinstance(node.slice, ast.Tuple)
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            backwards = any(isinstance(part, ast.Slice) and _is_backwards(part.step) for part in parts)
            if backwards and (several or any(map(KERNEL.search, names(node.value)))):
                lines.append(node.lineno)
    return lines


def _is_backwards(step: ast.expr | None) -> bool:
    return step is not None and any(
        isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub) and getattr(part.operand, "value", 0) == 1
        for part in ast.walk(step)
    )


def containment(nodes: list[ast.AST]) -> list[int]:
    """A test of arrays for non-finite numbers."""
    tests = {"isfinite", "isnan", "isinf", "vdot", "nan_to_num"}
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call)
        and called(node) in tests
        and not names(node.func) & {"math", "cmath"}  # of one number
    ]


def bias(nodes: list[ast.AST]) -> list[int]:
    """A sum one side of which is a bias, or computed from one."""
    biases = {"bias"}
    for _ in range(2):  # and from that
        biases |= {
            name
            for node in nodes
            if isinstance(node, ast.Assign) and names(node.value) & biases
            for target in node.targets
            if isinstance(target, ast.Name)
            for name in names(target)
        }
    lines = []
    for node in nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            sides = [node.value]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = [node.left, node.right]
        else:
            continue
        if any(names(side) & biases for side in sides):
            lines.append(node.lineno)
    return lines


def boundary(nodes: list[ast.AST]) -> list[int]:
    """A decision by the kind of a boundary; not `"wrap" in extends`, which is about what a method supports."""
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Compare)
        and not (isinstance(node.left, ast.Constant) and isinstance(node.ops[0], ast.In))
        and any(isinstance(part, ast.Constant) and part.value in KINDS for part in ast.walk(node))
    ]


MATHEMATICS: dict[str, Callable[[list[ast.AST]], list[int]]] = {
    "zero padding": padding,
    "kernel reversal": reversal,
    "NaN containment": containment,
    "bias": bias,
    "boundary arithmetic": boundary,
}


def places(root: Path, package: list[Module]) -> dict[str, list[Place]]:
    """Return where each piece of mathematics is written: one place per function."""
    all_places: dict[str, list[Place]] = {subject: [] for subject in MATHEMATICS}
    for module in package:
        if module.name.startswith(EXCLUDED):
            continue
        for name, function in functions(module):
            nodes = own(function)
            for subject, look in MATHEMATICS.items():
                lines = look(nodes)
                if lines:
                    all_places[subject].append(Place(module.file, min(lines), name))
    for path in c_files(root):
        text = path.read_text()
        for match in C_FUNCTION.finditer(text):
            name = match[2] or match[1]
            for subject, pattern in C_NAMES.items():
                if pattern.search(name):
                    line = text.count("\n", 0, match.start(1)) + 1
                    all_places[subject].append(Place(str(path.relative_to(root)), line, name))
    return all_places


def c_files(root: Path) -> list[Path]:
    return sorted(path for path in (root / "arrayconv").rglob("*") if path.suffix in {".c", ".h"})


def loops(root: Path, package: list[Module]) -> dict[str, list[Place]]:
    """Return where each compiled loop is written: a C file of its name, and modules of kernels that import Numba."""
    all_places: dict[str, list[Place]] = {name: [] for name in LOOPS}
    for path in c_files(root):
        if path.stem in all_places:
            all_places[path.stem].append(Place(str(path.relative_to(root)), 1, "C"))
    for module in package:
        if module.name.endswith("kernels") and "numba" in {name.split(".")[0] for name, _ in imports(module)}:
            loop = next((name for name in LOOPS if name.removesuffix("s") in module.name), "rows")
            all_places[loop].append(Place(module.file, 1, "Numba"))
    return all_places


# ---- knots ----


def parameters(function: Function) -> int:
    arguments = function.args
    return len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)


def body_lines(function: Function) -> int:
    """Count the lines of a body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return function.end_lineno - body[0].lineno + 1 if body and function.end_lineno is not None else 0


def is_private(module: Module, name: str) -> bool:
    return any(
        part.startswith("_") and not part.startswith("__") for part in (*module.name.split("."), *name.split("."))
    )


def knots(package: list[Module]) -> dict[str, list[Place]]:
    """Return the functions of many parameters, private and public ones, and those of long bodies."""
    many: list[Place] = []
    doors: list[Place] = []
    long: list[Place] = []
    for module in package:
        for name, function in functions(module):
            count, lines = parameters(function), body_lines(function)
            if count > MOST_PARAMETERS:
                (many if is_private(module, name) else doors).append(
                    Place(module.file, function.lineno, f"{name} ({count})")
                )
            if lines > MOST_LINES:
                long.append(Place(module.file, function.lineno, f"{name} ({lines})"))
    return {
        f"private functions over {MOST_PARAMETERS} parameters": many,
        f"public functions over {MOST_PARAMETERS} parameters": doors,
        f"bodies over {MOST_LINES} lines": long,
    }


def fields(package: list[Module]) -> int:
    """Count the fields of the class `Algorithm`."""
    for module in package:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == "Algorithm":
                return sum(isinstance(part, ast.AnnAssign) for part in node.body)
    return 0


# ---- imports ----


def imports(module: Module) -> Iterator[tuple[str, str]]:
    """Yield (package, name) of what a module imports, at any depth: full names of the package's own."""
    here = module.name.split(".")
    package = here if module.file.endswith("__init__.py") else here[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)


def graph(package: list[Module], within: str, depth: int) -> dict[str, set[str]]:
    """Return which parts of a package import which: their names cut to `depth` words."""
    known = {module.name for module in package}
    arrows: dict[str, set[str]] = {}
    for module in package:
        if not module.name.startswith(within):
            continue
        here = ".".join(module.name.split(".")[:depth])
        arrows.setdefault(here, set())
        for source, name in imports(module):
            full = f"{source}.{name}" if f"{source}.{name}" in known else source
            there = ".".join(full.split(".")[:depth])
            if full in known and full.startswith(within) and there != here:
                arrows[here].add(there)
    return arrows


def layers(arrows: dict[str, set[str]]) -> int | None:
    """Return the length of the longest chain of imports, None where some parts import each other."""
    height: dict[str, int] = {}
    try:
        for part in graphlib.TopologicalSorter(arrows).static_order():
            height[part] = 1 + max((height[below] for below in arrows.get(part, ())), default=0)
    except graphlib.CycleError:
        return None
    return max(height.values(), default=0)


# ---- the table ----


class Report(NamedTuple):
    """The figures and places of one checkout."""

    figures: dict[str, str]
    places: dict[str, list[Place]]


def report(root: Path) -> Report:
    """Measure a checkout."""
    package, native = modules(root), c_files(root)
    if not package:
        raise FileNotFoundError(f"structure: `path` must be a checkout with a folder arrayconv. Got {root}.")
    accel = [module for module in package if module.name.startswith("arrayconv._accel")]
    c_lines = sum(path.read_text().count("\n") for path in native)
    figures = {}
    for name, part in (("arrayconv", package), ("arrayconv/_accel", accel)):
        lines = sum(module.lines for module in part)
        figures[f"{name}: files"] = f"{len(part) + len(native)} ({len(part)} Python, {len(native)} C)"
        figures[f"{name}: lines"] = f"{lines + c_lines} ({lines} Python, {c_lines} C)"
    figures["fields of Algorithm"] = str(fields(package))
    written = {f"loop over {name}": where for name, where in loops(root, package).items()}
    written |= places(root, package)
    written |= knots(package)
    figures |= {subject: str(len(where)) for subject, where in written.items()}
    for name, arrows in (
        ("arrayconv", graph(package, "arrayconv.", 2)),
        ("arrayconv/_accel", graph(package, "arrayconv._accel.", 3)),
    ):
        tall = layers(arrows)
        figures[f"{name}: parts, imports, layers"] = (
            f"{len(arrows)}, {sum(map(len, arrows.values()))}, {'circular' if tall is None else tall}"
        )
    return Report(figures, written)


def table(titles: list[str], reports: list[Report]) -> str:
    """Return the figures of several checkouts as text, a column each."""
    rows = [["", *titles]]
    rows += [[name, *(each.figures[name] for each in reports)] for name in reports[0].figures]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parents[1]
    parser.add_argument("path", nargs="*", type=Path, default=[here], help="checkouts (default: this one)")
    parser.add_argument("--table", action="store_true", help="figures alone, no places")
    options = parser.parse_args(argv)
    try:
        reports = [report(path) for path in options.path]
    except FileNotFoundError as error:
        parser.error(str(error))
    print(table([str(path) for path in options.path], reports))
    if options.table:
        return
    for path, each in zip(options.path, reports, strict=True):
        print(f"\n{path}")
        for subject, where in each.places.items():
            print(f"  {subject}")
            for place in where:
                print(f"    {place}")


if __name__ == "__main__":
    main()
