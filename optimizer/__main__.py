"""``python -m optimizer`` and the console script: the command line, whatever moment Ctrl-C is pressed at."""

from __future__ import annotations

import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """The command line; a user who presses Ctrl-C while it is still being imported is answered as later on."""
    try:
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
