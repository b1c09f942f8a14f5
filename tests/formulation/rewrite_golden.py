"""Writes the golden programs anew: ``python -m tests.formulation.rewrite_golden``."""

from __future__ import annotations

from tests.formulation.programs import FOLDER, GOLDEN, program


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for family in GOLDEN:
        (FOLDER / f"{family}.lp").write_text(program(family), encoding="utf-8")


if __name__ == "__main__":
    main()
