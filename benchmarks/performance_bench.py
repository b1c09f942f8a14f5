"""How many training mappings a second, with memory, on one core; and how long is a full search for one hardware point?"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.candidates.placement import enumerate_candidates
from models.loading import load
from models.physics.performance.cards import Network
from models.physics.performance.constants import Software
from models.physics.performance.inference import best_serving
from models.physics.performance.mapping import enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import best_mapping, evaluate
from optimizer.performance_cache import PerformanceCache
from optimizer.validation.lookup import shipped_lookup

BATCH = 200_000
REPEATS = 5
NIC = 50e9


def least(work, repeats: int = REPEATS) -> tuple[float, float]:
    """Least wall and processor seconds of all repeats."""
    wall, busy = float("inf"), float("inf")
    for _ in range(repeats):
        start, worked = time.perf_counter(), time.process_time()
        work()
        wall, busy = min(wall, time.perf_counter() - start), min(busy, time.process_time() - worked)
    return wall, busy


def main() -> None:
    lookup = shipped_lookup()
    card, constants = lookup.accelerator("h100_sxm"), lookup.constants
    network = Network.of(card, NIC)
    for name, packages, batch, dtype in (
        ("llama31_405b", 16384, 2048, "bf16"),
        ("deepseek_v3", 2048, 15360, "fp8"),
    ):
        model = lookup.model(name)
        mappings = enumerate_mappings(model, packages, batch)
        many = mappings.take(np.resize(np.arange(len(mappings)), BATCH))
        setting = Setting(model, card, network, float(batch), dtype, constants, Software.of(dtype, card.available))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall, busy = least(lambda s=setting, m=many: evaluate(s, m))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"{name}: {BATCH} mappings with memory in {wall:.3f} s wall, {busy:.3f} s processor: "
            f"{BATCH / busy / 1e6:.2f} million a second; peak memory {after / 1024:.0f} MB, {(after - before) / 1024:.0f} MB of it new"
        )
        wall, busy = least(
            lambda m=model, n=packages, b=batch, d=dtype: best_mapping(m, card, network, n, b, constants, d)
        )
        print(
            f"{name}: full search on {packages} packages, {len(mappings)} mappings: {wall:.3f} s wall, {busy:.3f} s processor"
        )
    model = lookup.model("deepseek_r1")
    wall, busy = least(
        lambda: best_serving(model, card, network, 32, 2000, 500, constants, "fp8", ttft_limit=1.0, tpot_limit=0.05)
    )
    print(f"deepseek_r1: every batch and degree of a 32-package replica: {wall:.3f} s wall, {busy:.3f} s processor")
    with tempfile.TemporaryDirectory() as folder:
        instance, cache = load("training-30mw"), PerformanceCache(Path(folder))
        for what in ("cold", "from the cache"):
            wall, busy = least(lambda: enumerate_candidates(instance, cache), repeats=1)
            print(f"training-30mw: all pods, {what}: {wall:.1f} s wall, {busy:.1f} s processor")


if __name__ == "__main__":
    main()
