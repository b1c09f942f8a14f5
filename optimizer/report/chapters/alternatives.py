"""Near-optimal designs of other kinds, and which choices are must-haves."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Told
from optimizer.sensitivity.alternatives_section import (
    alternatives_data,
    alternatives_markdown,
    alternatives_sentence,
)


def _write(asked: Asked) -> Told:
    found = asked.near
    systems = [c.value for c in found.choices if c.dimension in ("system", "switch")]
    return Told(
        alternatives_sentence(found),
        alternatives_markdown(found),
        alternatives_data(found),
        found.proven,
        parts=tuple(dict.fromkeys(systems)),
    )


CHAPTER = Chapter("alternatives", 30, "Alternatives", _write)
