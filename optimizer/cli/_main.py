"""The entry point: runs a command and turns every error into a message and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from models.errors import InstanceError, OptimizerError
from optimizer.cli._group import Commands, StderrHandler, shared_options
from optimizer.cli._output import error_document
from optimizer.cli._streams import prepare, silence

EXIT_OTHER = 1
EXIT_USAGE = 2
EXIT_INFEASIBLE, EXIT_STOPPED = 4, 5
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def build() -> click.Group:
    """The whole command line as one click group."""
    return Commands(
        name="optimizer",
        help="Exact design-space exploration for AI racks and clusters.",
        epilog="Run a command with --help for its options. Tables go to stdout, everything else to stderr.",
        context_settings={"help_option_names": ["-h", "--help"]},
        params=[
            click.Option(
                ["-V", "--version"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_print_version,
                help="Print the version and exit.",
            ),
            *shared_options(),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the console script: never a traceback for a user's mistake, always one of the documented codes."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    prepare()
    _log_to_stderr()
    try:
        try:
            _complete_for_shell()
            with build().make_context("optimizer", given) as context:
                context.command.invoke(context)
            code = 0
        except click.exceptions.Exit as stop:
            code = stop.exit_code
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = EXIT_USAGE
        except click.ClickException as error:
            code = _usage(error, as_json)
        except OptimizerError as error:
            code = _own_error(error, as_json)
        except (KeyboardInterrupt, click.Abort):
            code = interrupted(as_json)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_gone()
    except OSError as error:
        code = _system(error, as_json)
    except MemoryError:
        message = "there is not enough memory; a smaller design space or a larger step of its sizes needs less"
        code = _report("memory", message, f"memory: {message}", EXIT_OTHER, as_json)
    except Exception as error:
        # an extension module that is interrupted while it is imported says that it cannot be imported
        code = interrupted(as_json) if _was_interrupted(error) else _defect(error, as_json)
    sys.exit(code)


def interrupted(as_json: bool) -> int:
    """Say that the user stopped the program; its exit code."""
    return _report("interrupted", "interrupted", "interrupted", EXIT_INTERRUPTED, as_json)


def _was_interrupted(error: BaseException) -> bool:
    """Whether an interrupt stands behind an error."""
    behind = error.__cause__ or error.__context__
    return behind is not None and (isinstance(behind, KeyboardInterrupt) or _was_interrupted(behind))


def _defect(error: Exception, as_json: bool) -> int:
    """A defect of the program: named with its place; the whole way there for those who ask with -v."""
    if logging.getLogger("optimizer").isEnabledFor(logging.INFO):
        traceback.print_exc()
    place = traceback.extract_tb(error.__traceback__)[-1]
    message = (
        f"a defect of the program: {type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno}); "
        "-v shows how it came about"
    )
    return _report("internal", message, f"internal: {message}", EXIT_OTHER, as_json)


def _log_to_stderr() -> None:
    log = logging.getLogger("optimizer")
    log.setLevel(logging.WARNING)
    if not any(isinstance(handler, StderrHandler) for handler in log.handlers):
        log.addHandler(StderrHandler())


def _complete_for_shell() -> None:
    """Answer a shell that asks for completions or for the script that makes it ask; it asks through the environment."""
    variable = "_OPTIMIZER_COMPLETE"
    if variable in os.environ:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(build(), {}, "optimizer", variable, os.environ[variable]))


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from optimizer._version import DISTRIBUTION, version

        click.echo(f"optimizer {version()} ({DISTRIBUTION})")
        ctx.exit()


def _report(
    code: str, message: str, text: str, exit_code: int, as_json: bool, problems: Sequence[dict[str, str]] = ()
) -> int:
    """Say an error once: a JSON document on stdout where JSON was asked for, a text on stderr otherwise."""
    if as_json:
        status = {EXIT_INFEASIBLE: "infeasible", EXIT_STOPPED: "partial"}.get(exit_code, "error")
        click.echo(error_document(code, message, problems, status))
    else:
        click.echo(text, err=True)
    return exit_code


def _own_error(error: OptimizerError, as_json: bool) -> int:
    problems = [problem.as_dict() for problem in getattr(error, "problems", ())]
    text = str(error) if isinstance(error, InstanceError) else f"{error.code}: {error}"
    return _report(error.code, str(error), text, error.exit_code, as_json, problems)


def _usage(error: click.ClickException, as_json: bool) -> int:
    if as_json:
        return _report("usage", error.format_message(), "", EXIT_USAGE, as_json)
    error.show()
    return EXIT_USAGE


def _system(error: OSError, as_json: bool) -> int:
    """A full disk, a folder without permission, and their like."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in _FULL:
        message = f"{where}the disk is full; what was being written is incomplete and not marked as complete"
        exit_code, code = EXIT_OTHER, "disk-full"
    elif error.errno == errno.EBADF and not error.filename:
        message, exit_code, code = "standard output is closed", EXIT_OTHER, "file"
    else:
        message = f"{where}{error.strerror or error}"
        exit_code, code = (EXIT_USAGE if error.filename else EXIT_OTHER), "file"
    try:
        _report(code, message, f"{code}: {message}", exit_code, as_json)
        sys.stdout.flush()
    except OSError:  # it is stdout itself that cannot be written
        silence(sys.stdout)
        if as_json:
            click.echo(f"{code}: {message}", err=True)
    return exit_code


def _reader_gone() -> int:
    """``optimizer ... | head``: stop quietly, as other tools do."""
    silence(sys.stdout)
    return EXIT_BROKEN_PIPE
