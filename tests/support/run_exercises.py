"""Run solutions of exercises in Python, each in a process of its own, with a time limit for each case.

Reads jobs as JSON from standard input and writes one line of JSON for each: the outcomes of its cases. It runs apart from the
tests, so it imports nothing of the project.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import os
import select
import signal
import sys
import time
import types
from typing import Any

# Seconds that a process may need beyond the limits of its cases, which code that ignores signals would exceed.
SLACK = 5.0


class TimeUp(BaseException):
    """The time limit of a case is reached. Solutions that catch every Exception do not catch it."""


def stop(*_: object) -> None:
    """Handle the alarm signal."""
    raise TimeUp


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: sets as sorted lists, and iterables as lists."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return [plain(one) for one in value] if hasattr(value, "__iter__") else str(value)


async def called(function: Any, arguments: list[Any]) -> Any:
    """Return what a function returns, which may be an awaitable or an asynchronous iterator."""
    value = function(*arguments)
    if inspect.isawaitable(value):
        value = await value
    if hasattr(value, "__aiter__"):
        value = [one async for one in value]
    return plain(value)


def outcome(code: str, harness: str, case: dict[str, Any]) -> dict[str, Any]:
    """Run one case in a new module, and return its value or its error."""
    module = types.ModuleType("answer")
    sys.modules["answer"] = module
    signal.setitimer(signal.ITIMER_REAL, case["seconds"])
    try:
        exec(compile(code, "answer.py", "exec"), module.__dict__)
        exec(compile(harness, "harness.py", "exec"), module.__dict__)
        return {"value": asyncio.run(called(module.__dict__[case["call"]], case["input"]))}
    except TimeUp:
        return {"timeout": True}
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run(job: dict[str, Any], output: int) -> None:
    """Run the cases of a job until one exceeds its limit, and write their outcomes to a pipe."""
    signal.signal(signal.SIGALRM, stop)
    sys.stdout = io.StringIO()
    found: list[dict[str, Any]] = []
    for case in job["cases"]:
        found.append(outcome(job["code"], job["harness"], case))
        if found[-1].get("timeout"):
            break
    with os.fdopen(output, "w") as pipe:
        json.dump(found, pipe)


def in_child(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a job in a process of its own, so that no solution sees what another one changed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            run(job, writing)
        finally:
            os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + sum(case["seconds"] for case in job["cases"]) + SLACK
    parts: list[bytes] = []
    while select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
        parts.append(os.read(reading, 65536))
        if not parts[-1]:
            break
    os.close(reading)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        found: list[dict[str, Any]] = json.loads(b"".join(parts))
    except ValueError:
        return [{"timeout": True}]
    return found


if __name__ == "__main__":
    for one in json.load(sys.stdin):
        sys.stdout.write(json.dumps(in_child(one)) + "\n")
        sys.stdout.flush()
