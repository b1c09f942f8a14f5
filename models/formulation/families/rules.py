"""Rules: what the owners of an instance decide beside its limits, each a group of rows under its own name.

    q  <=  bound,    q  >=  bound,    q  =  bound                                  at_most, at_least, fix; forbid is q <= 0, require q >= 1
    units[v]  <=  M[v] * chosen[v],    sum_v chosen[v]  <=  1                          same_vendor, over the vendors v of its layers
    a  -  (M - n) * holds  <=  n                                                     if: ``holds`` is one wherever a condition a > n is met,
    a  +  n' * holds  >=  n'                                                         or a condition a < n' is
    b  +  (M' - n) * holds  <=  M',    b  -  n * holds  >=  0                          then: b <= n, or b >= n, where ``holds`` is one

q, a, b  what a rule's selection counts: units, accelerators, pods, racks [count], spend [kUSD before charges], power [kW, sustained
peak, of each pod rounded up where it is held from above and down where from below, so that no bound is met by rounding], plant
options taken; spend forbidden or required counts as units, so that nothing is too cheap to count;  M, M'  their largest values, from the candidates;  chosen, holds [binary]. Whole numbers all, so
that ``more than n`` is ``at least n + 1``.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np

from models.candidates.placement import Placements
from models.formulation.bounds import most_of
from models.formulation.core import MONEY_QUANTUM, POWER_QUANTUM, Core, down, up
from models.formulation.families.sourcing import vendor_key
from models.formulation.family import BindingRow, family
from models.formulation.linear import Block, Floats, Kind, Linear
from models.formulation.selection import Asked, contains, parts_in, spend_asked, units_asked, vendors_of
from models.instance import Instance
from models.policy import PowerFigure
from models.rules import Condition, Measure, Rule, SameVendor, Selection

UNITS = {Measure.SPEND: "kUSD", Measure.POWER: "kW"}
QUANTA = {Measure.SPEND: MONEY_QUANTUM, Measure.POWER: POWER_QUANTUM}


@family(reads=("use", "option", "units", "bought"))
def rules(m: Core, inst: Instance) -> None:
    """Adds the rows of every rule, under its name."""
    for name, rule in inst.rules.items():
        source = f"rules.{name}"
        if rule.same_vendor is not None:
            _add_same_vendor(m, name, rule.same_vendor)
        elif rule.condition is not None and rule.then is not None:
            _add_implication(m, name, rule.condition, rule.then)
        elif rule.forbid is not None:
            of = rule.forbid.present
            m.at_most(name, (), counted(m, of), 0, unit_of(of), f"{source}.forbid")
        elif rule.require is not None:
            of = rule.require.present
            m.at_least(name, (), counted(m, of), 1, unit_of(of), f"{source}.require")
        else:
            _add_bound(m, name, rule)


def _add_bound(m: Core, name: str, rule: Rule) -> None:
    assert rule.of is not None
    value, unit = counted(m, rule.of, floored=rule.at_least is not None), unit_of(rule.of)
    if rule.at_most is not None:
        m.at_most(name, (), value, most_quanta(rule.of, rule.at_most), unit, f"rules.{name}.at_most")
    elif rule.at_least is not None:
        m.at_least(name, (), value, least_quanta(rule.of, rule.at_least), unit, f"rules.{name}.at_least")
    else:
        m.equals(name, (), value, nearest_quanta(rule.of, rule.fix), unit, f"rules.{name}.fix")


def unit_of(selection: Selection) -> str:
    """Unit a selection is counted in."""
    return UNITS.get(selection.counted, selection.counted.value)


def most_quanta(selection: Selection, bound: float) -> int:
    """A ceiling in whole quanta."""
    return floor(bound / QUANTA.get(selection.counted, 1.0) + 1e-9)


def least_quanta(selection: Selection, bound: float) -> int:
    """A floor in whole quanta."""
    return ceil(bound / QUANTA.get(selection.counted, 1.0) - 1e-9)


def nearest_quanta(selection: Selection, bound: float) -> int:
    """A fixed value in whole quanta."""
    return round(bound / QUANTA.get(selection.counted, 1.0))


def counted(m: Core, selection: Selection, floored: bool = False) -> Linear:
    """What a selection counts, in whole quanta; the power of a pod rounded up, or down where ``floored``."""
    sites = None if selection.site is None else (selection.site,)
    asked = Asked(selection.part, selection.vendor, selection.layer, selection.cluster, sites)
    match selection.counted:
        case Measure.OPTION:
            return _option_taken(m, selection)
        case Measure.UNITS:
            return units_asked(m, asked)
        case Measure.SPEND:
            return spend_asked(m, asked)
    parts = None
    if selection.part is not None or selection.vendor is not None or selection.layer is not None:
        parts = [p for p in parts_in(m) if asked.part_matches(p) and _sold_by(m, asked, p.id)]

    def each(p: Placements) -> Floats:
        values = _each(p, selection.counted, floored)
        return np.asarray(values if parts is None else np.where(contains(p, parts), values, 0.0), dtype=np.float64)

    return m.everywhere(each, site=selection.site, cluster=selection.cluster)


def _each(p: Placements, measure: Measure, floored: bool) -> Floats:
    """What one pod of each placement counts for."""
    match measure:
        case Measure.ACCELERATORS:
            return p.of_pods(p.pods.accelerators)
        case Measure.RACKS:
            return p.of_pods(p.pods.floor)
        case Measure.POWER:
            whole = down if floored else up
            return whole(p.facility_power(PowerFigure.DESIGN), POWER_QUANTUM)
    return np.ones(len(p))


def _sold_by(m: Core, asked: Asked, part: str) -> bool:
    """Whether a part is of the named vendor: by the catalogue, or by its quotes where it has any."""
    known = {found.id: found for found in parts_in(m)}
    offers = m.candidates.offers.selling(part)
    sellers = [offer.vendor for offer in offers] or [known[part].part.vendor]
    return all(asked.vendor_matches(known[part], seller) for seller in sellers)


def _option_taken(m: Core, selection: Selection) -> Linear:
    chains = m.candidates.options.get(selection.site or "", {})
    found = [option for options in chains.values() for option in options if option.id == selection.option]
    return Linear.total([m.option_is(option) for option in found])


def _add_same_vendor(m: Core, name: str, same: SameVendor) -> None:
    vendors = sorted({v for layer in same.layers for v in vendors_of(m, Asked(layer=layer))})
    if len(vendors) < 2:
        return
    chosen = m.add_block(Block(f"rule[{name}]", tuple(vendor_key(v) for v in vendors), Kind.BINARY))
    for number, vendor in enumerate(vendors):
        parts = [
            units_asked(m, Asked(vendor=vendor, layer=layer, cluster=cluster))
            for layer in same.layers
            for cluster in (same.clusters if same.clusters is not None else (None,))
        ]
        bought, one = Linear.total(parts), np.zeros(len(vendors))
        one[number] = most_of(m, bought)
        m.at_most(name, ("of", chosen.keys[number]), bought - Linear({chosen.name: one}), 0, "", "")
    m.at_most(name, (), Linear({chosen.name: np.ones(len(vendors))}), 1, "", f"rules.{name}.same_vendor")


def _add_implication(m: Core, name: str, condition: Condition, then: Condition) -> None:
    block = m.add_block(Block(f"rule[{name}]", ("holds",), Kind.BINARY))
    holds = Linear({block.name: np.ones(1)})
    given = counted(m, condition.of, floored=condition.at_most is not None)
    wanted = counted(m, then.of, floored=then.at_least is not None)
    if condition.at_least is not None:
        below = least_quanta(condition.of, condition.at_least) - 1
        room = max(most_of(m, given) - below, 0.0)
        m.at_most(name, ("if",), given - holds * room, below, "", "")
    else:
        above = most_quanta(condition.of, condition.at_most) + 1
        m.at_least(name, ("if",), given + holds * float(above), above, "", "")
    if then.at_most is not None:
        bound = most_quanta(then.of, then.at_most)
        most = max(most_of(m, wanted), float(bound))
        m.at_most(name, ("then",), wanted + holds * (most - bound), most, "", f"rules.{name}.then")
    else:
        bound = least_quanta(then.of, then.at_least)
        m.at_least(name, ("then",), wanted - holds * float(bound), 0, "", f"rules.{name}.then")


@rules.says
def _(row: BindingRow) -> str:
    return f"rule {row.what} is met with nothing to spare: {row.value:,.0f} of {row.limit:,.0f} {row.unit}"
