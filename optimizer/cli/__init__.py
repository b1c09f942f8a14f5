"""The command line: one file per command, found by looking in this folder.

A command's file is named after it (``why_not.py`` for ``why-not``) and exports ``command``; files that begin with an
underscore are no commands. Nothing here may import numpy, pandas, Pyomo or a solver before a command runs.
"""

from __future__ import annotations

from optimizer.cli._main import build, main

__all__ = ["build", "main"]
