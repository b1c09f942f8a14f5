"""Do time and memory stay in proportion when the catalogue is twice or three times as large?

    python benchmarks/catalogue_bench.py [--times 3] [INSTANCE]

Every system, accelerator, switch, NIC, link medium, frame, storage node and plant part is there once more under another id, its prices, powers and masses a few percent
off; copies of systems carry copies of their accelerators. Each command is its own process with a cache of its own, so that the first solve of a size also searches throughput tables.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bounded

SHEETS = (
    "accelerators",
    "cooling",
    "nics",
    "optics_cables",
    "power_components",
    "racks",
    "storage_and_hosts",
    "switches",
    "systems",
)
VARIED = ("price_usd", "power_w", "tdp_w", "weight_kg")
"""Beginnings, ends or middles of columns that vary: figures that say how much a part costs, draws or weighs, none that says what it fits."""
SPREAD = 0.03
LIMIT = 400.0


def copies(row: dict[str, str], number: int, chance: random.Random) -> dict[str, str]:
    """The row of one copy: another id and name, other prices, powers and masses; low and high ends move together."""
    found = {**row, "id": f"{row['id']}_copy{number}", "name": f"{row['name']} copy {number}"}
    if row.get("accelerator_id"):
        found["accelerator_id"] = f"{row['accelerator_id']}_copy{number}"
    factors = {part: 1.0 + chance.uniform(-SPREAD, SPREAD) for part in VARIED}
    for column, text in row.items():
        part = next((part for part in VARIED if part in column), None)
        if part is not None and text:
            found[column] = f"{float(text) * factors[part]:.6g}"
    return found


def write_catalogue(folder: Path, times: int) -> None:
    """Sheets with every part ``times - 1`` times more than shipped; the same ones from run to run."""
    folder.mkdir()
    chance = random.Random(1)
    for sheet in SHEETS:
        with (bounded.ROOT / "instances" / "catalogue" / f"{sheet}.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        with (folder / f"{sheet}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(copies(row, number, chance) for number in range(1, times) for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instance", nargs="?", default="training-30mw")
    parser.add_argument("--times", type=int, default=3, help="largest catalogue, in shipped ones")
    wanted = parser.parse_args()
    print(f"{'catalogue':12}{'command':34}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}  outcome")
    for times in range(1, wanted.times + 1):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            write_catalogue(folder / "parts", times)
            case = folder / "case.yaml"
            wider = "catalogues: [parts]\n" if times > 1 else ""
            case.write_text(f"extends: {wanted.instance}\nname: wide\n{wider}", encoding="utf-8")
            os.environ["REFARCH_CACHE"] = str(folder / "cache")
            commands = {
                "list parts": ["list", "parts", "--instance", str(case)],
                "solve, tables searched": ["solve", "-q", str(case), "--out", str(folder / "first")],
                "solve, tables from the cache": ["solve", "-q", str(case), "--out", str(folder / "again")],
                "check": ["check", str(case)],
            }
            for name, arguments in commands.items():
                ended = bounded.run([sys.executable, "-m", "optimizer", *arguments], cpu=LIMIT, memory_gb=8.0)
                figures = f"{ended.cpu:8.1f}{ended.wall:8.1f}{ended.peak_mb:9.0f}"
                print(f"{f'{times} times':12}{name:34}{figures}  {ended.outcome}", flush=True)


if __name__ == "__main__":
    main()
