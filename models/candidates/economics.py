"""Prices at an instance's basis: charges on top of a price, maintenance, energy and carbon over the horizon."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.economics import Electricity
from models.parts.part import PriceRange
from models.physics.cost import PriceBasis, landed_cost
from models.physics.finance import annuity_factor

SECONDS_PER_YEAR = 365.25 * 86400.0


@dataclass(frozen=True)
class Economics:
    """What a dollar of equipment and a joule of energy cost over the horizon at one site.

    ``charges`` multiplies a price (freight, duty, tax); ``annuity`` is the present value of one dollar a year;
    ``energy_price`` [USD/J], ``grid_carbon`` [kg/J], ``shell`` [USD/W of design power].
    """

    basis: PriceBasis
    charges: float
    annuity: float
    years: float
    maintenance: float
    energy_price: float
    grid_carbon: float
    shell: float

    @property
    def ownership(self) -> float:
        """Capex plus maintenance over the horizon, per dollar of capex."""
        return 1.0 + self.maintenance * self.annuity

    @property
    def energy_cost(self) -> float:
        """Present value [USD] of one watt drawn through the horizon."""
        return self.energy_price * SECONDS_PER_YEAR * self.annuity

    @property
    def carbon_per_watt(self) -> float:
        """Carbon [kg] of one watt drawn through the horizon."""
        return self.grid_carbon * SECONDS_PER_YEAR * self.years

    def paid(self, price: PriceRange) -> float:
        """Price at the basis with charges [USD]."""
        return price.at(self.basis) * self.charges


def economics_of(instance: Instance, site: str, basis: PriceBasis | None = None) -> Economics:
    """The instance's money at one site; ``basis`` overrides the instance's own (for price bands)."""
    money, place, given = instance.money, instance.sites[site], instance.assumptions
    years = money.horizon / SECONDS_PER_YEAR
    price, carbon = _energy(instance, site)
    return Economics(
        basis=basis or money.price_basis,
        charges=float(
            landed_cost(
                1.0, freight_share=money.freight.value, duty_share=money.duty.value, tax_share=money.tax.value
            ).total
        ),
        annuity=float(annuity_factor(given.discount_rate.value, years)),
        years=years,
        maintenance=given.maintenance_per_year.value,
        energy_price=price,
        grid_carbon=carbon,
        shell=place.shell_cost.value if place.shell_cost is not None else 0.0,
    )


def _energy(instance: Instance, site: str) -> tuple[float, float]:
    place = instance.sites[site]
    row = instance.catalogue.of(Electricity).get(place.electricity or "")
    price = place.electricity_price.value if place.electricity_price is not None else (row.price if row else None)
    carbon = place.grid_carbon.value if place.grid_carbon is not None else (row.carbon if row else None)
    problems = []
    for name, value, field in (("price", price, "electricity_price"), ("carbon", carbon, "grid_carbon")):
        if value is None:
            where = instance.origin(f"sites.{site}.electricity")
            found = f"electricity row {place.electricity} has no {name}"
            problems.append(Problem("missing-cell", where, found, f"sites.{site}.{field} in the instance"))
    if price is None or carbon is None:
        raise InstanceError(problems)
    return price, carbon
