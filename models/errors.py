"""Problems found in what a user wrote, and the errors that carry them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, said so that a person can mend it.

    ``where`` is ``file:line`` (or the best address known), ``code`` a stable identifier that programs may match.
    """

    code: str
    where: str
    found: str
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.code}: {self.found}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.hint:
            text += f" ({self.hint})"
        return text

    def as_dict(self) -> dict[str, str]:
        """The same as plain text fields, for JSON."""
        return {
            "code": self.code,
            "where": self.where,
            "found": self.found,
            "expected": self.expected,
            "hint": self.hint,
        }


class OptimizerError(Exception):
    """An error with a message for the user; ``code`` is stable, ``exit_code`` is what a shell sees."""

    code = "error"
    exit_code = 1


class UsageError(OptimizerError):
    """The command or call itself is wrong: unknown option value, a run folder that exists, a missing file."""

    code = "usage"
    exit_code = 2


class InstanceError(OptimizerError):
    """The instance or its catalogue is invalid. Carries every problem found, not the first."""

    code = "instance-invalid"
    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__(f"{count} {noun} in the instance:\n" + "\n".join(f"  {p}" for p in self.problems))


class SolverError(OptimizerError):
    """A solver is missing or failed."""

    code = "solver"
    exit_code = 6


class StoppedError(OptimizerError):
    """A limit on time ended the work before there was anything to show; nothing is proven."""

    code = "stopped"
    exit_code = 5


class VerificationError(OptimizerError):
    """A recomputation does not agree with what was reported."""

    code = "verification-failed"
    exit_code = 7


class MissingExtraError(UsageError):
    """An optional dependency is needed and absent; the message names the command that installs it."""

    code = "missing-extra"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}; install it with: pip install 'refarch[{extra}]'")


MOST_NAMES = 12
"""Valid names that a message shows where none is close."""


def nearest_of_all(name: str, valid: Sequence[str]) -> str:
    """As ``nearest``, leaving none of the valid names out: where no other listing has them."""
    return nearest(name, valid, len(valid))


def nearest(name: str, valid: Sequence[str], most: int = MOST_NAMES) -> str:
    """A hint naming the valid name closest to ``name``, or at ``most`` so many of the valid names when none is close."""
    by_letters = {known.casefold(): known for known in reversed(valid)}
    close = difflib.get_close_matches(name.casefold(), list(by_letters), n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_letters[close[0]]!r}?"
    shown = ", ".join(sorted(valid)[:most])
    if len(valid) > most:
        shown += f" and {len(valid) - most} more"
    return f"valid names: {shown}" if valid else "no name is valid here"


def nearest_path(name: str, valid: Sequence[str]) -> str:
    """As ``nearest`` for dotted paths: the end of a path says what is meant, then as many steps before it as ``name`` has."""
    steps = name.casefold().split(".")
    ends = {path.casefold().rpartition(".")[2] for path in valid}
    close = difflib.get_close_matches(steps[-1], sorted(ends), n=1, cutoff=0.6)
    if not close:
        return nearest(name, valid)

    def likeness(path: str) -> float:
        tail = ".".join(path.casefold().split(".")[-len(steps) :])
        return difflib.SequenceMatcher(None, ".".join(steps), tail).ratio()

    alike = [path for path in valid if path.casefold().rpartition(".")[2] == close[0]]
    return f"did you mean {max(alike, key=likeness)!r}?"


class InfeasibleError(OptimizerError):
    """No design meets every limit, and that is proven. Problems name the limits that clash."""

    code = "infeasible"
    exit_code = 4

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        lines = "".join(f"\n  {p}" for p in self.problems)
        super().__init__(f"{message}{lines}")


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, in words and without the number the system gives it."""
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror or error)
