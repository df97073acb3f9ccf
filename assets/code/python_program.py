"""Runs a candidate's program, or one case of an exercise, in Pyodide.

`python-worker.js` starts this file and calls `run`, its last value. Nothing of the browser can be reached from here.
"""

import ast
import asyncio
import builtins
import inspect
import json
import linecache
import math
import os
import selectors
import signal
import sys
import time
import traceback
import types
import unittest

FILE, MOST, SIDE = "answer.py", 6000, 200
NO_INPUT = "input() has nothing to read here: call your function with values instead"


class _Selector(selectors.SelectSelector):
    """A selector without files: waiting for events is nothing but waiting."""

    def select(self, timeout=None):
        """Wait for `timeout` seconds. With no timer left, a program would wait forever."""
        if timeout is None:
            raise RuntimeError("The program waits for something that never happens.")
        time.sleep(max(0, timeout))
        return []


class _Loop(asyncio.BaseEventLoop):
    """An event loop that runs to its end on the spot, so that asyncio.run works in every browser."""

    def __init__(self):
        super().__init__()
        self._selector = _Selector()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass


class TimeLimit(BaseException):
    """Raised in a case that takes too long, so that Python need not be started again for the next one."""

    __module__ = "builtins"


def _interrupt(number, frame):
    raise TimeLimit("the test was stopped")


def _no_input(prompt=""):
    raise EOFError(NO_INPUT)


def _short(value):
    text = repr(value)
    return text if len(text) <= SIDE else text[:SIDE] + "…"


def _sides(left, right):
    return f"left side is {_short(left)}, right side is {_short(right)}"


class _Asserts(ast.NodeTransformer):
    """Gives a failed `assert a == b` without a message one that shows both sides."""

    def visit_Assert(self, node):
        """Keep both sides in names, and pass these to the message."""
        test = node.test
        if node.msg is not None or not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return node
        sides = [ast.Name(name, ast.Load()) for name in ("_left_side", "_right_side")]
        values = (test.left, test.comparators[0])
        kept = [ast.NamedExpr(ast.Name(name.id, ast.Store()), value) for name, value in zip(sides, values, strict=True)]
        node.test = ast.copy_location(ast.Compare(kept[0], test.ops, [kept[1]]), test)
        node.msg = ast.Call(ast.Name("_sides_of_assert", ast.Load()), sides, [])
        return ast.fix_missing_locations(node)


def _told(error):
    """Return the traceback with only the candidate's own lines, and the last of these lines."""
    shown = traceback.TracebackException.from_exception(error)
    line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    if isinstance(error, ModuleNotFoundError):
        shown._str = f"There is no module {error.name!r} here, only Python's standard library."
    part, seen = shown, 0
    while part is not None and seen < 20:
        part.stack = traceback.StackSummary.from_list([frame for frame in part.stack if frame.filename == FILE])
        if line is None and part.stack:
            line = part.stack[-1].lineno
        part, seen = part.__cause__ or part.__context__, seen + 1
    lines = list(shown.format())
    if not shown.stack and lines and lines[0].startswith("Traceback") and shown.__cause__ is shown.__context__ is None:
        lines = lines[1:]
    text = "".join(lines)
    return (text if len(text) <= MOST else text[: MOST // 3] + "\n  …\n" + text[-MOST:]), line


def _plain(value):
    """Return a result as JSON can hold it."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(one) for one in value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if hasattr(value, "__iter__"):
        return [_plain(one) for one in value]
    return str(value)


async def _awaited(value):
    if inspect.isawaitable(value):
        value = await value
    return [one async for one in value] if hasattr(value, "__aiter__") else value


def _result(call, arguments):
    value = call(*arguments)
    if inspect.isawaitable(value) or hasattr(value, "__aiter__"):
        value = asyncio.run(_awaited(value))
    return _plain(value)


def _compiled(source):
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    tree = ast.parse(source, FILE)
    return tree, compile(_Asserts().visit(tree), FILE, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def _executed(code, name):
    """Execute a program in a new module, and return the module."""
    module = types.ModuleType(name)
    module.__dict__["__builtins__"] = builtins
    sys.modules[name] = module
    made = eval(code, module.__dict__)
    if inspect.iscoroutine(made):
        asyncio.run(made)
    return module


def _own_tests(tree, module):
    """Run the tests that a program defines but does not run itself. Returns the tracebacks of failed ones, and a line."""
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    runs_itself = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & {"main", "TextTestRunner"}
    failed, line = "", None
    for name, test in list(vars(module).items()):
        if not name.startswith("test") or name in loaded or not inspect.isfunction(test) or inspect.signature(test).parameters:
            continue
        try:
            asyncio.run(test()) if inspect.iscoroutinefunction(test) else test()
            print(f"{name}: passed")
        except Exception as error:
            print(f"{name}: failed")
            text, at = _told(error)
            failed, line = f"{failed}{name}: {text}", line or at
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    if suite.countTestCases() and not runs_itself:
        done = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
        failed += "" if done.wasSuccessful() else f"{len(done.failures) + len(done.errors)} unittest tests failed.\n"
    return failed, line


def _program(job):
    try:
        tree, code = _compiled(job["source"])
    except SyntaxError as error:
        return dict(zip(("error", "line"), _told(error), strict=True), syntax=True)
    try:
        error, line = _own_tests(tree, _executed(code, "__main__"))
    except SystemExit as end:
        error, line = "" if end.code in (None, 0) else f"The program ended with the exit code {_code(end)}.", None
    except BaseException as raised:
        error, line = _told(raised)
        return {"error": error, "line": line, "timeout": isinstance(raised, TimeLimit)}
    return {"error": error, "line": line}


def _code(end):
    return int(end.code) if isinstance(end.code, (bool, int)) else end.code


def _case(job):
    """Execute the program, then the harness, and call it. What fails before the call is marked with `before`."""
    before = True
    try:
        try:
            _, code = _compiled(job["source"])
        except SyntaxError as error:
            return dict(zip(("error", "line"), _told(error), strict=True), syntax=True, before=True)
        names = _executed(code, "answer").__dict__
        exec(compile(job["harness"], "harness.py", "exec"), names)
        if job["call"] not in names:
            return {"error": f"Your code doesn't define {job['call']}().", "line": None, "before": True}
        before = False
        began = time.perf_counter()
        value = _result(names[job["call"]], json.loads(job["input"]))
        return {"value": json.dumps(value), "error": "", "seconds": time.perf_counter() - began}
    except BaseException as raised:
        error, line = _told(raised)
        return {"error": error, "line": line, "before": before, "timeout": isinstance(raised, TimeLimit)}


def run(text):
    """Do the job in `text`, which is JSON, and return its outcome as JSON."""
    job, began = json.loads(text), time.perf_counter()
    sys.argv = [FILE]
    asyncio.events._set_running_loop(None)
    outcome = (_case if job["kind"] == "case" else _program)(job)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    return json.dumps({"seconds": time.perf_counter() - began, **outcome})


class _Policy(asyncio.events._BaseDefaultEventLoopPolicy):
    _loop_factory = _Loop


os.environ["NO_COLOR"] = "1"
# Before asyncio.run can set a handler of its own.
signal.signal(signal.SIGINT, _interrupt)
builtins.input = _no_input
builtins._sides_of_assert = _sides
asyncio.events._event_loop_policy = _Policy()
run
