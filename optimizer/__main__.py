"""``python -m optimizer`` and the console script: the command line, whatever moment it is interrupted at."""

from __future__ import annotations

import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """The command line; a user who presses Ctrl-C while it is still being imported is answered as later on.

    Being asked to end (SIGTERM, by ``timeout`` or a batch system) is an interrupt: what was found is saved.
    """
    try:
        _end_as_interrupted()
        from optimizer.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        from optimizer.cli._main import interrupted

        _leave(interrupted("--json" in sys.argv[1:]))
    except SystemExit as stop:
        if stop.code == EXIT_INTERRUPTED:
            _leave(EXIT_INTERRUPTED)
        raise


def _end_as_interrupted() -> None:
    """Makes SIGTERM do what Ctrl-C does at that moment."""
    import signal
    from types import FrameType

    def interrupt(_signal: int, frame: FrameType | None) -> None:
        found = signal.getsignal(signal.SIGINT)
        if not callable(found):  # in the background of a script Ctrl-C is ignored; this was meant for us
            raise KeyboardInterrupt
        found(signal.SIGINT, frame)

    signal.signal(signal.SIGTERM, interrupt)


def _leave(code: int) -> NoReturn:
    """Ends the process with ``code``: Python itself ends with the signal where the interrupt came amid some imports."""
    import atexit
    import os

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
