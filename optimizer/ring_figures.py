"""How many rings of blocks each site buys, and the fewest that any way to hang its racks could do with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from models.candidates.plant import plant_options
from models.instance import Instance
from models.site import Chain
from optimizer.design import PlantChoice, RingChoice


def ring_figures(instance: Instance, plant: Sequence[PlantChoice], rings: Sequence[RingChoice]) -> dict[str, float]:
    """``SITE.rings`` bought and ``SITE.rings_least``, a proven lower bound for these racks, of sites whose blocks back each other up."""
    figures: dict[str, float] = {}
    for site, name in dict.fromkeys((ring.site, ring.option) for ring in rings):
        option = next(one for one in plant_options(instance, site)[0][Chain.POWER] if one.id == name)
        assert option.ring is not None
        unit = option.units[0]
        bought = [c.units for c in plant if (c.site, c.chain, c.option) == (site, Chain.POWER.value, name)]
        racks: Counter[int] = Counter()
        for ring in (one for one in rings if (one.site, one.option) == (site, name)):
            for group in ring.racks:
                racks[group.load_kw] += ring.count * group.racks
        figures[f"{site}.rings"] = float(bought[0] // unit.step)
        figures[f"{site}.rings_least"] = float(option.ring.fewest({w: n for w, n in racks.items() if w}))
    return figures
