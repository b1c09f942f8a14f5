"""One design, recomputed from the instance and the physics functions alone: no program, no solver, no table of candidates."""

from __future__ import annotations

from models.instance import Instance
from optimizer.design import Design, design_id
from optimizer.verification.bill import check_bill, expected_lines, preliminary_parts
from optimizer.verification.cooling_failures import replay_cooling
from optimizer.verification.counting import Book
from optimizer.verification.findings import Checks
from optimizer.verification.goals import check_objectives
from optimizer.verification.limits import check_limits
from optimizer.verification.money import expected_figures
from optimizer.verification.orders import as_bought, check_orders
from optimizer.verification.plant import Plant, check_plant
from optimizer.verification.pods import check_pod
from optimizer.verification.site_figures import site_figures
from optimizer.verification.spend import check_spend
from optimizer.verification.split import check_split
from optimizer.verification.totals import Sums


def check_design(instance: Instance, design: Design, plant: Plant) -> Checks:
    """Everything that does not agree in one design. What cannot even be recomputed is a finding too, never an exception."""
    checks = Checks(design.design_id)
    try:
        _check(checks, instance, design, plant)
    except (LookupError, ValueError, TypeError, ArithmeticError, AssertionError, AttributeError) as error:
        checks.rule("design", False, f"{type(error).__name__}: {error}", "a design that can be recomputed")
    return checks


def _check(checks: Checks, instance: Instance, design: Design, plant: Plant) -> None:
    checks.same(
        "design_id",
        design.design_id,
        design_id(design.pods, design.plant, design.orders, design.exchanges),
        "hash of the decisions",
    )
    checks.rule("pods", bool(design.pods), len(design.pods), "at least one pod")
    facts = []
    for number, pod in enumerate(design.pods):
        found = check_pod(checks, instance, pod, number)
        if found is not None:
            facts.append(found)
    _check_choices(checks, design.choices, design)
    check_split(checks, instance, design)
    if len(facts) < len(design.pods):
        return
    units = check_plant(checks, instance, design, facts, plant)
    replay_cooling(checks, instance, facts, units, plant)
    needed = expected_lines(instance, facts, units, plant)
    bought = check_orders(checks, instance, design, needed)
    lines = list(as_bought(instance, needed, bought))
    check_bill(checks, design, lines)
    check_spend(checks, instance, design, facts, lines, bought, plant)
    checks.same("preliminary", list(design.preliminary), list(preliminary_parts(lines, facts)))
    figures = expected_figures(instance, facts, lines, plant, bought.one_off, design.exchanges)
    figures.update(site_figures(instance, design, facts, units, plant))
    for name in sorted(figures.keys() | design.figures.keys()):
        known = name in figures and name in design.figures
        if checks.rule(f"figures.{name}", known, design.figures.get(name), figures.get(name), "missing or unknown"):
            checks.same(f"figures.{name}", design.figures[name], figures[name])
    sums = Sums(instance, facts, units, plant, Book(instance, facts, needed, bought, plant), design.exchanges)
    check_objectives(checks, design, sums)
    check_limits(checks, instance, design, sums)


def _check_choices(checks: Checks, reported: object, design: Design) -> None:
    """The readable decisions, written again from the decisions themselves."""
    pods, plant = design.pods, design.plant
    expected: dict[str, str | int | float] = {}
    for cluster in dict.fromkeys(pod.cluster for pod in pods):
        mine = [pod for pod in pods if pod.cluster == cluster]
        columns: dict[str, int | list[str]] = {
            "system": [p.system for p in mine],
            "vendor": [p.vendor for p in mine],
            "pods": sum(p.count for p in mine),
            "accelerators": sum(p.count * p.accelerators for p in mine),
            "racks": sum(p.count * (p.node_racks + p.network_racks + p.storage_racks) for p in mine),
            "rack": [f"{p.systems_per_rack} per {p.frame}" for p in mine],
            "cooling": [p.cooling for p in mine],
            "fabric": [f"{p.fabric['switch']} {p.fabric['tiers']}-tier" for p in mine],
            "oversubscription": [f"{p.fabric['oversubscription']:.3g}" for p in mine],
            "site": [p.site for p in mine],
        }
        if any(p.batch for p in mine):
            columns["batch"] = [f"{p.batch['parts']}/{p.batch['of']} {p.site}" for p in mine]
            columns["links"] = [n for one in design.exchanges if one.cluster == cluster for n in one.links] or ["none"]
        if any("role" in p.performance for p in mine):
            counts = {p.role: sum(q.count for q in mine if q.role == p.role) for p in mine}
            columns["roles"] = [f"{count} {role}" for role, count in counts.items()]
        if any(p.spares for p in mine):
            columns["spares"] = sum(p.count * p.spares for p in mine)
        if any(p.storage for p in mine):
            columns["storage"] = [f"{p.storage['write_b_s'] / 1e9:.4g} GB/s" for p in mine]
        for name, value in columns.items():
            words = "" if isinstance(value, int) else " + ".join(dict.fromkeys(value))
            expected[f"{cluster}.{name}"] = value if isinstance(value, int) else words
    expected.update({f"{choice.site}.{choice.chain}": choice.option for choice in plant})
    told = dict(reported) if isinstance(reported, dict) else {}
    for name in sorted(expected.keys() | told.keys()):
        checks.same(f"choices.{name}", told.get(name), expected.get(name))
