"""What searched tables rest on beside the question: the sources that work out the answer, so that no table outlives a change of them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

PHYSICS = "models.physics.performance"
SEARCHES = ("mapping_search", "serving_table", "throughput_table")


@cache
def sources_digest() -> str:
    """Digest of every source file of the throughput models and of the searches over them, as they are installed."""
    digest = hashlib.sha256()
    for package, wanted in ((PHYSICS, None), ("models.candidates", SEARCHES)):
        found = [
            one
            for one in files(package).iterdir()
            if one.name.endswith((".py", ".pyc")) and (wanted is None or one.name.partition(".")[0] in wanted)
        ]
        for one in sorted(found, key=lambda file: file.name):
            content = one.read_bytes().replace(b"\r\n", b"\n") if one.name.endswith(".py") else one.read_bytes()
            digest.update(f"{package}/{one.name}:{len(content)}:".encode())
            digest.update(content)
    return digest.hexdigest()
