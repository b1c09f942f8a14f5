"""Where installed power goes, for every design: the parts sum to it, and use beyond it shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.loading import load
from models.site import Chain
from optimizer.design import Design
from optimizer.solve import solve
from optimizer.verification.findings import Checks
from optimizer.verification.plant import Plant, check_plant
from optimizer.verification.pods import check_pod
from optimizer.verification.site_figures import ORDER, site_figures

NAMES = ("power-blocks", "thermal-weather", "two-sites")


def sites_of(design: Design) -> Iterator[str]:
    yield from sorted({pod.site for pod in design.pods})


@pytest.mark.parametrize("name", NAMES)
def test_installed_is_used_and_stranded_and_free_and_overuse_is_below_zero(name: str) -> None:
    inst = load(f"tiny/{name}")
    plant = Plant(inst)
    for design in solve(inst, ("tco", "throughput")).points:
        checks = Checks(design.design_id)
        facts = [check_pod(checks, inst, pod, number) for number, pod in enumerate(design.pods)]
        units = check_plant(checks, inst, design, facts, plant)
        few = {key: tuple(0 for _ in n) if key[1] is Chain.POWER else n for key, n in units.items()}
        assert not checks.findings
        for bought in (units, few):
            found = site_figures(inst, design, facts, bought, plant)
            for site in sites_of(design):
                parts = [found[f"{site}.stranded_{cause}_kw"] for cause in ORDER]
                told = [found[f"{site}.{name}_kw"] for name in ("installed", "used", "free")]
                assert told[0] == pytest.approx(told[1] + sum(parts) + told[2])
                assert (told[2] < 0) == (bought is few)
