"""Rewrite the generated parts of ``docs/performance-model.md``: constants, and the error of every published group.

python scripts/performance_tables.py RECORDS_FOLDER UNSEEN_FOLDER          the tables are what ``optimizer validate`` finds
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.physics.performance.constants import FILE_NAME, sustained_clocks
from models.shipped import catalogue_folder
from optimizer.validation.reader import validate

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance-model.md"

APART = ("sc21-t2-zero3", "vtrain-singlenode", "megascale-megatron")


def constants_table() -> list[str]:
    document = json.loads((catalogue_folder() / FILE_NAME).read_text(encoding="utf-8"))
    lines = [f"Version {document['version']}.", "", "| free constant | value | interval |", "|---|---|---|"]
    for name, entry in document["free"].items():
        lines.append(f"| `{name}` | {entry['value']:.4g} | {entry['low']:.4g} to {entry['high']:.4g} |")
    lines += [
        "",
        "| class | measured | band | products: format, e_max, k0, start, bytes per cast element |",
        "|---|---|---|---|",
    ]
    for name, entry in document["classes"].items():
        curves = "; ".join(
            f"{dtype} {c['e_max']:.3f}, {c['k0']:.0f}, {c['launch_us']:.1f} us, {c.get('cast_bytes', 0):.1f}"
            for dtype, c in entry["gemm"].items()
        )
        lines.append(f"| {name} | {'yes' if entry['measured'] else 'inherited'} | {entry['band']:.1%} | {curves} |")
    lines += [
        "",
        "| class | attention: first, second, recent kernels; forward alone | start | hop | link efficiency, loss in small groups | switch |",
        "|---|---|---|---|---|---|",
    ]
    for name, c in document["classes"].items():
        switch = "-" if c["switch_reduction"] is None else f"{c['switch_reduction']:.2f}"
        lines.append(
            f"| {name} | {', '.join(f'{share:.2f}' for share in c['attention'].values())} | {c['link_start_us']:.1f} us "
            f"| {c['link_hop_us']:.2f} us | {c['link_efficiency']:.2f}, {c['link_small_group']:.2f} | {switch} |"
        )
    lines += ["", "Sustained over printed clock, by power limit and beside the measured part of the same silicon: "]
    clocks = {
        part: share
        for entry in document["classes"].values()
        for part, share in sustained_clocks(entry.get("power")).items()
    }
    lines[-1] += ", ".join(f"{part} {share:.2f}" for part, share in clocks.items()) + "."
    return lines


def family_table() -> list[str]:
    document = json.loads((catalogue_folder() / FILE_NAME).read_text(encoding="utf-8"))
    lines = ["| left out | n | error as fitted | error left out | bias left out |", "|---|---|---|---|---|"]
    for kind, families in document.get("families", {}).items():
        for name, found in families.items():
            lines.append(
                f"| {kind}: {name} | {found['n']} | {found['fitted']:.1%} | {found['left_out']:.1%} | {found['bias']:+.1%} |"
            )
        means = [sum(entry[key] for entry in families.values()) / len(families) for key in ("fitted", "left_out")]
        lines.append(f"| **mean over {kind}s** | {len(families)} | {means[0]:.1%} | {means[1]:.1%} | |")
    return lines


def error_table(folder: Path) -> list[str]:
    report = validate(sorted(folder.glob("*.yaml")))
    document = json.loads((catalogue_folder() / FILE_NAME).read_text(encoding="utf-8"))
    unseen = {
        group: f"{entry['left_out']:.1%}" for group, entry in document["residuals"].items() if "left_out" in entry
    }
    lines = ["| file | group | n | mean absolute error | bias | worst | left out |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {Path(g.file).name} | {g.group} | {g.n} | {g.mean_abs_error:.1%} | {g.bias:+.1%} | {g.worst:+.1%} "
        f"| {unseen.get(g.group, '')} |"
        for g in report.groups
    ]
    judged = [
        g.mean_abs_error for g in report.groups if Path(g.file).name.startswith("training") and g.group not in APART
    ]
    mean = sum(judged) / len(judged)
    apart = f"Mean over the {len(judged)} training groups, the three reported apart left out: {mean:.1%}"
    if "mean_left_out" in document:
        apart += f"; each of them left out of the fit of the constants in turn: {document['mean_left_out']:.1%}"
    lines += ["", f"{apart}.", ""]
    lines += ["Not evaluated, by reason:", ""]
    reasons: dict[str, int] = {}
    for one in report.skipped:
        reasons[one.reason] = reasons.get(one.reason, 0) + 1
    lines += [f"- {count} x {reason}" for reason, count in reasons.items()]
    return lines


def unseen_table(folder: Path) -> list[str]:
    report = validate(sorted(folder.glob("*.yaml")))
    lines = ["| file | group | n | mean absolute error | bias | worst |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {Path(g.file).name} | {g.group} | {g.n} | {g.mean_abs_error:.1%} | {g.bias:+.1%} | {g.worst:+.1%} |"
        for g in report.groups
    ]
    return lines


def replaced(text: str, name: str, lines: list[str]) -> str:
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    before, rest = text.split(begin, 1)
    _, after = rest.split(end, 1)
    return before + begin + "\n\n" + "\n".join(lines) + "\n\n" + end + after


def main() -> None:
    folder = Path(sys.argv[1])
    text = PAGE.read_text(encoding="utf-8")
    text = replaced(text, "constants", constants_table())
    text = replaced(text, "errors", error_table(folder))
    text = replaced(text, "families", family_table())
    text = replaced(text, "unseen", unseen_table(Path(sys.argv[2])))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
