"""The power supplies behind a system in its rack, with the part-load curve the instance names for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.candidates.power_option import curve_of
from models.instance import Instance
from models.parts.power_component import PowerKind
from models.parts.system import SystemKind
from models.physics.power_supplies import SupplyKind, parse_supply
from models.physics.supply_losses import delivered_power, drawn_at_part_load

if TYPE_CHECKING:
    from models.candidates.rack_design import RackDesign

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Supplies:
    """``installed`` [W of output] behind one system drawing ``nameplate`` [W], and the ``curve`` they lose by."""

    curve: str
    installed: float
    nameplate: float
    shares: tuple[float, ...]
    efficiencies: tuple[float, ...]

    def drawn(self, nominal: npt.ArrayLike) -> Floats:
        """Power at the wall [W] for one worked out at the efficiency of full load."""
        return drawn_at_part_load(nominal, self.nameplate, self.installed, self.shares, self.efficiencies)

    def efficiency(self, drawn: float) -> float:
        """Output over ``drawn`` [W]."""
        return float(delivered_power(drawn, self.installed, self.shares, self.efficiencies)) / drawn


def supplies_of(instance: Instance, rack: RackDesign) -> Supplies | None:
    """The supplies of one system of a rack; None where no curve is named for them, or the catalogue does not say what is installed."""
    given, system = instance.assumptions, rack.system
    config = parse_supply(system.psu_config or "")
    shelf = (
        rack.distribution if rack.distribution is not None and rack.distribution.kind is PowerKind.POWER_SHELF else None
    )
    own = config.kind is SupplyKind.MODULES and shelf is None
    named = given.supply_curve if own else given.shelf_curve
    installed = rack.supply.installed_w
    if shelf is not None:
        installed = None if shelf.rated is None else rack.distribution_units * shelf.rated / rack.systems
    elif not own and system.kind is SystemKind.SERVER:
        installed = None
    if named is None or not installed or not system.max_power:
        return None
    shares, efficiencies = curve_of(instance, named.value)
    return Supplies(named.value, installed, system.max_power, tuple(shares), tuple(efficiencies))
