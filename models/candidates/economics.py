"""Prices at an instance's basis: charges on top of a price, maintenance, energy and carbon over the horizon."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.economics import Electricity
from models.parts.part import PriceRange
from models.physics.cost import PriceBasis, landed_cost
from models.physics.finance import annuity_factor, discount_factor, growing_annuity_factor, residual_value

SECONDS_PER_YEAR = 365.25 * 86400.0


@dataclass(frozen=True)
class Economics:
    """What a dollar of equipment and a joule of energy cost over the horizon at one site.

    ``charges`` multiplies a price (freight, duty, tax); ``upkeep_annuity`` and ``energy_annuity``
    are the present value of a dollar in the first year that grows as maintenance and energy do;
    ``energy_price`` [USD/J], ``grid_carbon`` [kg/J], ``shell`` [USD/W of design power]; ``financing`` is the present value of a
    loan's payments less its principal, per dollar of capex; ``residual`` what equipment fetches at the end, per dollar of price.
    """

    basis: PriceBasis
    charges: float
    years: float
    maintenance: float
    energy_price: float
    grid_carbon: float
    shell: float
    financing: float
    residual: float
    upkeep_annuity: float
    energy_annuity: float

    @property
    def upkeep(self) -> float:
        """Maintenance over the horizon, per dollar of capex in equipment."""
        return self.maintenance * self.upkeep_annuity

    @property
    def ownership(self) -> float:
        """Capex, maintenance and financing over the horizon less the residual value, per dollar of capex in equipment."""
        return 1.0 + self.upkeep + self.financing - self.residual / self.charges

    @property
    def energy_cost(self) -> float:
        """Present value [USD] of one watt drawn through the horizon."""
        return self.energy_price * SECONDS_PER_YEAR * self.energy_annuity

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
        years=years,
        maintenance=given.maintenance_per_year.value,
        energy_price=price,
        grid_carbon=carbon,
        shell=place.shell_cost.value if place.shell_cost is not None else 0.0,
        financing=_financing(instance, years),
        residual=_residual(instance, years),
        upkeep_annuity=growing(given.discount_rate.value, money.maintenance_growth.value, years),
        energy_annuity=growing(given.discount_rate.value, energy_growth(instance, site), years),
    )


def lasting(instance: Instance) -> float:
    """Present value [USD] of a dollar a second, the same through the horizon."""
    years = instance.money.horizon / SECONDS_PER_YEAR
    return SECONDS_PER_YEAR * growing(instance.assumptions.discount_rate.value, 0.0, years)


def energy_growth(instance: Instance, site: str) -> float:
    """What electricity at a site costs more each year after the first."""
    own = instance.sites[site].electricity_growth
    return (own if own is not None else instance.money.energy_growth).value


def growing(rate: float, growth: float, years: float) -> float:
    """Present value of a dollar in the first year that grows every year after."""
    return float(growing_annuity_factor(rate, growth, years) if growth else annuity_factor(rate, years))


def _financing(instance: Instance, years: float) -> float:
    loan = instance.money.financing
    if loan is None:
        return 0.0
    term = years if loan.term is None else loan.term / SECONDS_PER_YEAR
    paid = annuity_factor(instance.assumptions.discount_rate.value, term) / annuity_factor(loan.rate, term)
    return loan.share * (float(paid) - 1.0)


def _residual(instance: Instance, years: float) -> float:
    stated = instance.money.residual_value
    if stated is None:
        return 0.0
    left = residual_value(1.0, years, stated.decline_per_year, stated.at_least)
    return float(left * discount_factor(instance.assumptions.discount_rate.value, years))


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
