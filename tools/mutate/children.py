"""Run tests in forked children of one process that has imported and collected all of them, but run none.

A child changes the code of the functions that are already there, runs its tests up to the first failure, and ends. What
a fault breaks, a crash and an endless loop included, ends with the child.
"""

from __future__ import annotations

import ast
import faulthandler
import gc
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

MEMORY = 6 << 30  # bytes of address space that a child may have more than its parent


class Outcome(NamedTuple):
    """How a child ended: 'failed' with the test or error, 'passed', 'crashed' with a signal, 'timeout'."""

    status: str
    text: str
    seconds: float


class Job(NamedTuple):
    """What a child runs: its name, the function of a writer of text that returns a text, and its seconds."""

    key: Any
    run: Callable[[], str]
    seconds: float


def run_all(jobs: Iterable[Job], parallel: int, deadline: float) -> Iterator[tuple[Any, Outcome]]:
    """Yield (key, outcome) of every job as it ends; no job starts after the deadline.

    A job passes by returning '', and fails by returning a text or by raising.
    """
    waiting, running = iter(jobs), {}
    while True:
        while len(running) < parallel and time.monotonic() < deadline:
            job = next(waiting, None)
            if job is None:
                break
            child, pipe = _fork(job)
            running[pipe] = (job, child, time.monotonic())
        if not running:
            return
        ready = select.select(list(running), [], [], 0.2)[0]
        for pipe, (job, child, start) in list(running.items()):
            seconds = time.monotonic() - start
            if pipe in ready:
                del running[pipe]
                yield job.key, _outcome(pipe, child, seconds)
            elif seconds > job.seconds:
                del running[pipe]
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                os.close(pipe)
                yield job.key, Outcome("timeout", "", seconds)


def _fork(job: Job) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.disable()  # a crash is an outcome
        _refuse_compilers()
        text = job.run() or "passed"
    except BaseException as failure:
        text = f"{type(failure).__name__}: {failure}"
    for part in range(0, len(text.encode()), 1 << 15):
        os.write(writing, text.encode()[part : part + (1 << 15)])
    os._exit(0)


def _refuse_compilers() -> None:
    """Let JAX raise where it would compile and had threads before the fork: a child does not have them."""
    if not getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None):
        return
    if (compiler := sys.modules.get("jax._src.compiler")) is not None:

        def refuse(*_: object, **__: object) -> None:
            raise RuntimeError("XLA can't compile in a forked child")

        compiler.backend_compile_and_load = refuse


def _outcome(pipe: int, child: int, seconds: float) -> Outcome:
    with os.fdopen(pipe, "rb") as file:
        text = file.read().decode()
    status = os.waitpid(child, 0)[1]
    if not text:
        return Outcome("crashed", f"signal {status & 127}", seconds)
    return Outcome("passed", "", seconds) if text == "passed" else Outcome("failed", text, seconds)


def run_tests(
    items: Sequence[Any], seconds: Sequence[float], on_test: Callable[[float, bool], None] | None = None
) -> str:
    """Run tests in order; return the id of the first that fails, '' if none does.

    A test that takes more time of a processor than its `seconds` ends the process. With `on_test`, a function of a
    test's seconds and whether it failed, it fails instead, and all tests run.
    """
    failures: list[str] = []

    class Listener:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                failures.append(report.nodeid)

    def late(*_: object) -> None:
        raise TimeoutError("the test takes too long")

    if items:
        items[0].config.pluginmanager.register(Listener())
    # By default the signal ends a process, wherever it is: in C, or where errors are caught.
    signal.signal(signal.SIGVTALRM, late if on_test else signal.SIG_DFL)
    for item, following, limit in zip(items, [*items[1:], None], seconds, strict=True):
        start = _used()
        signal.setitimer(signal.ITIMER_VIRTUAL, limit)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if on_test:
            on_test(_used() - start, item.nodeid in failures)
        elif failures:
            return failures[0]
    return failures[0] if failures else ""


def _used() -> float:
    """Return the seconds of a processor that this process and its own have used: others may keep it waiting."""
    return sum(os.times()[:4])


# ---- the code that is already there ----


def functions_of(paths: set[str]) -> dict[str, list[FunctionType]]:
    """Return all functions that exist of some source files."""
    gc.unfreeze()
    functions: dict[str, list[FunctionType]] = {path: [] for path in paths}
    for entry in gc.get_objects():
        if type(entry) is FunctionType and entry.__code__.co_filename in functions:
            functions[entry.__code__.co_filename].append(entry)
    gc.freeze()
    return functions


def replace_functions(functions: list[FunctionType], module: CodeType) -> int:
    """Give functions the code that a compiled module has for them; return how many changed."""
    codes = {(code.co_firstlineno, code.co_qualname): code for code in _codes(module)}
    changed = 0
    for function in functions:
        code = codes.get((function.__code__.co_firstlineno, function.__code__.co_qualname))
        if code is not None and code != function.__code__:
            function.__code__ = code
            changed += 1
    return changed


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def replace_module(path: str, code: CodeType) -> None:
    """Execute a compiled module again, and bind its new values wherever its names are imported."""
    module = _module(path)
    old = dict(vars(module))
    exec(code, vars(module))
    new = {name: value for name, value in vars(module).items() if name in old and value is not old[name]}
    for other in list(sys.modules.values()):
        if isinstance(other, ModuleType) and other.__name__.split(".")[0] in ("arrayconv", "tests", "conformance"):
            for name in new:
                if other.__dict__.get(name, new) is old[name]:
                    setattr(other, name, new[name])


def _module(path: str) -> ModuleType:
    return next(m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == path)  # some import others


class Marks(set[int]):
    """The lines of the statements that ran since the last `clear`; `mark_statements` makes them add theirs."""


def mark_statements(functions: list[FunctionType], path: str, marks: Marks) -> None:
    """Let each statement in the functions of a source file add its line to `marks` when it runs."""
    tree = ast.parse(Path(path).read_text())
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for body in list(_bodies(function)):
                body[:] = [statement for old in body for statement in _marked(old)]
    vars(_module(path))["__marks__"] = marks
    code = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
    replace_functions(functions, code)


def _bodies(function: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements of a function, without those of functions and classes in it."""
    for _, value in ast.iter_fields(function):
        for node in value if isinstance(value, list) else [value]:
            is_scope = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            if isinstance(node, ast.AST) and not is_scope:
                yield from _bodies(node)
        if isinstance(value, list) and any(isinstance(node, ast.stmt) for node in value):
            yield value


def _marked(statement: ast.stmt) -> list[ast.stmt]:
    is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    marking = ast.parse(f"__marks__.add({statement.lineno})").body
    return [statement] if is_docstring else [ast.copy_location(marking[0], statement), statement]
