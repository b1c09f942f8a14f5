"""A solver in a process of its own that can be ended: some solvers look at the clock only between long steps.

The child holds one hot instance and answers questions one after the other through pipes. One that overruns its limit by far is killed, its question
stays unknown, and the next question starts a new child. The child ends by itself when its parent does.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from typing import IO, Any

from models.errors import SolverError
from optimizer.backends.protocol import Proof, SolveLimits, SolveResult, SolverOptions, StopReason
from optimizer.compiled_model import CompiledModel

START_UP = 5.0
"""Seconds that a new child is given on top, to load the solver and the program."""


class Guarded:
    """``solver`` (a class with ``solve`` and ``solve_any_of``, importable by name) for ``model`` in a child that is started when first asked."""

    def __init__(self, solver: type[Any], model: CompiledModel, options: SolverOptions) -> None:
        self._start = (solver.__module__, solver.__qualname__, model, options)
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, method: str, limits: SolveLimits, *arguments: Any, **question: Any) -> SolveResult:
        """The answer of ``method``; TIME_LIMIT without point or proof when the child had to be ended."""
        started = time.perf_counter()
        patience = None if limits.seconds is None else limits.seconds * limits.watchdog_factor + 1.0
        if self._child is None:
            self._child = _spawn()
            patience = None if patience is None else patience + START_UP
            _send(self._child.stdin, self._start)
        child, overrun = self._child, threading.Event()
        timer = threading.Timer(patience or 0.0, _end, (child, overrun))
        timer.daemon = True
        if patience is not None:
            timer.start()
        try:
            _send(child.stdin, (method, arguments, {**question, "limits": limits}))
            reply = _receive(child.stdout)
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
        if isinstance(reply, SolveResult):
            return reply
        self.close()
        if overrun.is_set():
            seconds = time.perf_counter() - started
            return SolveResult(
                StopReason.TIME_LIMIT, Proof.NONE, None, None, -float("inf"), seconds, None, "ended from outside"
            )
        raise SolverError(f"a solver process ended unexpectedly: {reply or 'perhaps for lack of memory'}")

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for stream in (self._child.stdin, self._child.stdout):
                if stream is not None:
                    stream.close()
        self._child = None

    def __del__(self) -> None:
        self.close()


def _end(child: subprocess.Popen[bytes], overrun: threading.Event) -> None:
    overrun.set()
    child.kill()


def _spawn() -> subprocess.Popen[bytes]:
    """A child in a session of its own, so that an interrupt from the keyboard is the parent's to handle."""
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.path[:0] = sys.argv[1:]; from optimizer.backends.guarded import serve; serve()", *sys.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def _send(stream: IO[bytes] | None, message: object) -> None:
    """Write one message. A child that is gone is noticed when its answer is read."""
    assert stream is not None
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    try:
        stream.write(len(body).to_bytes(8, "little") + body)
        stream.flush()
    except (BrokenPipeError, OSError):
        return


def _receive(stream: IO[bytes] | None) -> Any:
    """The next message, or None when the other side is gone."""
    assert stream is not None
    head = stream.read(8)
    size = int.from_bytes(head, "little")
    body = stream.read(size) if len(head) == 8 else b""
    return pickle.loads(body) if len(head) == 8 and len(body) == size else None


def serve() -> None:
    """The child: one program, then questions until the parent is gone. What the solver prints goes to the error stream."""
    import importlib
    import queue

    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        while (message := _receive(inbox)) is not None:
            asked.put(message)
        os._exit(0)  # the parent is gone, whatever the solver is doing

    threading.Thread(target=listen, daemon=True).start()
    module, name, model, options = asked.get()
    made = importlib.import_module(module)
    for part in name.split("."):
        made = getattr(made, part)
    solver: Any = made
    hot = solver(model, options)
    while True:
        method, arguments, question = asked.get()
        try:
            answer: Any = getattr(hot, method)(*arguments, **question)
        except Exception as error:  # reported to the parent, which raises it as its own
            answer = f"{type(error).__name__}: {error}"
        _send(outbox, answer)
