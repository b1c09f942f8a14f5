"""Global indices as a table, as Markdown for a report, and in one sentence."""

from __future__ import annotations

from optimizer.sensitivity.global_indices import GlobalIndices
from optimizer.tables import markdown_table

_NAMES = {"sobol": ("S1", "ST"), "morris": ("mu*", "sigma")}
_MEANING = {
    "sobol": "S1 is the share of the variance an input explains alone, ST that with all its interactions, each with its 95 % interval.",
    "morris": "mu* is the mean change of the output when the input moves over its range, in the output's unit, with its 95 % interval; "
    "sigma, where it is as large as mu*, says that the effect depends on the other inputs.",
}


def global_headings(result: GlobalIndices) -> tuple[str, ...]:
    """Heads of the table."""
    first, total = _NAMES[result.method]
    return ("output", "input", first, total)


def global_rows(result: GlobalIndices, most: int = 8) -> list[tuple[str, ...]]:
    """Cells: for each output the inputs that matter most."""
    rows: list[tuple[str, ...]] = []
    for output in result.outputs:
        # shares of variance below a thousandth say nothing at these numbers of samples
        least = 1e-3 if result.method == "sobol" else 0.0
        mine = [i for i in result.indices if i.output == output and max(abs(i.first), abs(i.total)) > least][:most]
        # effects are in the output's unit, shares of variance in none
        millions = result.method == "morris" and output.endswith("_usd")
        scale, name = (1e-6, f"{output.removesuffix('_usd')} [MUSD]") if millions else (1.0, output)
        rows.extend(
            (name, i.name, _with(i.first, i.first_error, scale), _with(i.total, i.total_error, scale)) for i in mine
        )
    return rows


def _with(value: float, error: float | None, scale: float) -> str:
    return _short(value * scale) if error is None else f"{_short(value * scale)} ± {_short(error * scale)}"


def _short(value: float) -> str:
    """Three figures, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1e-3 or not value else "0.000"


def global_sentence(result: GlobalIndices) -> str:
    """The answer in one sentence."""
    if not result.indices:
        return f"nothing can be said yet; {result.samples} of {result.wanted} samples so far."
    of_cost = [i for i in result.indices if i.output == "tco_usd"]
    first = of_cost[0].name if of_cost else "nothing"
    deciding = next((i.name for i in result.indices if i.output == "systems_moved" and (i.total or i.first)), None)
    share = ", ".join(f"{name} in {part:.0%}" for name, part in list(result.decisions.items())[:4])
    moved = f"{deciding} decides most between systems" if deciding else "no input changes which system wins"
    partial = "" if result.complete else f"; {result.samples} of {result.wanted} samples so far"
    return f"total cost depends most on {first}; {moved}; best of all samples: {share}{partial}."


def global_markdown(result: GlobalIndices) -> str:
    """A section of a sensitivity report."""
    said = global_sentence(result)
    word = "Sobol" if result.method == "sobol" else "Morris"
    lines = [f"## Global sensitivity ({word})", "", said[0].upper() + said[1:], ""]
    lines.append(
        f"{result.samples} samples over {len(result.inputs)} ranges at once, seed {result.seed}. {_MEANING[result.method]}"
    )
    headings = global_headings(result)
    lines += ["", *markdown_table(headings, global_rows(result), headings[2:])]
    if any(i.first_error is not None and i.first_error >= i.first > 0 for i in result.indices):
        lines += ["", f"Where the interval is as wide as the index, take more samples: `optimizer {result.method}`."]
    return "\n".join(lines) + "\n"
