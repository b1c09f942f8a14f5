"""``extends``, ``scenarios``, nulls, owners: how an instance is put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import InstanceError, UsageError
from models.loading import load, load_resolved
from models.policy import PriceBasis
from models.shipped import catalogue_folder, find_instance, shipped_instances
from models.units import Unlimited
from optimizer.explain.groups import owner_of


def _child(tmp_path: Path, text: str, name: str = "child.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_child_overrides_key_by_key_and_replaces_lists(case: Callable, tmp_path: Path) -> None:
    case()
    child = load(
        _child(
            tmp_path,
            "schema: 1\nextends: case.yaml\nname: child\n"
            "workloads: {train: {deadline: 30 days, design_space: {systems: [dgx_b200]}}}\n",
        )
    )
    assert child.name == "child"
    assert child.workloads["train"].deadline == 30 * 86400
    assert child.workloads["train"].design_space.systems == ("dgx_b200",)
    assert child.workloads["train"].tokens == 1e12
    assert set(child.workloads) == {"train", "serve"}


def test_every_value_knows_the_file_it_came_from(case: Callable, tmp_path: Path, line_of: Callable) -> None:
    base = case()
    path = _child(tmp_path, "schema: 1\nextends: case.yaml\nworkloads: {train: {deadline: 30 days}}\n")
    child = load(path)
    assert child.origin("workloads.train.deadline") == f"{path}:3"
    assert child.origin("workloads.train.tokens") == f"{base}:{line_of(base, 'tokens: 1 T')}"
    assert child.origin("sites.main.power.ups.equipment.0.part") == f"{base}:{line_of(base, 'ups_1500k')}"


def test_null_takes_back_what_the_base_says(case: Callable, tmp_path: Path, problems: Callable) -> None:
    case()
    child = load(_child(tmp_path, "schema: 1\nextends: case.yaml\nlimits: {capex: null}\n"))
    assert child.limits.capex is None
    (found,) = problems(_child(tmp_path, "schema: 1\nextends: case.yaml\nmoney: {horizon: null}\n", "b.yaml"))
    assert found.code == "missing-key"


def test_null_is_absent_and_unlimited_is_a_word(case: Callable, problems: Callable) -> None:
    assert load(case()).sites["main"].air_per_rack.value is Unlimited.UNLIMITED
    assert load(case(("limits:\n  capex: 150 MUSD", "limits:"))).limits.capex is None
    (found,) = problems(case(("air_per_rack: unlimited", "air_per_rack: null")))
    assert found.code == "missing-key"
    (found,) = problems(case(("capex: 150 MUSD", "capex: unlimited")))
    assert found.code == "unit"
    (found,) = problems(case(("air_per_rack: unlimited", "air_per_rack: infinite")))
    assert found.code == "unit"


def test_problem_in_a_base_names_the_base(
    case: Callable, tmp_path: Path, problems: Callable, line_of: Callable
) -> None:
    base = case(("60 days", "60"))
    (found,) = problems(_child(tmp_path, "schema: 1\nextends: case.yaml\nname: child\n"))
    assert found.where == f"{base}:{line_of(base, 'deadline')}"


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c")])
def test_circle_of_extends(tmp_path: Path, problems: Callable, names: tuple[str, ...]) -> None:
    for name, following in zip(names, (*names[1:], names[0]), strict=True):
        _child(tmp_path, f"schema: 1\nextends: {following}.yaml\n", f"{name}.yaml")
    (found,) = problems(tmp_path / "a.yaml")
    assert found.code == "extends-cycle"


def test_base_that_does_not_exist(case: Callable, problems: Callable, line_of: Callable) -> None:
    path = case(extra="extends: nothing.yaml\n")
    (found,) = problems(path)
    assert str(found).startswith(f"{path}:{line_of(path, 'extends:')}: extends: no instance file nothing.yaml")
    (found,) = problems(case(extra="extends: [a]\n"))
    assert found.expected == "a path or the name of a shipped instance"


def test_scenario_is_applied_only_when_named(case: Callable, problems: Callable, line_of: Callable) -> None:
    path = case(extra="scenarios:\n  tight:\n    sites: {main: {utility: 2 MW}}\n")
    assert load(path).sites["main"].utility.value == 5e6
    assert load(path, scenario="tight").sites["main"].utility.value == 2e6
    assert load(path, scenario="tight").origin("sites.main.utility") == f"{path}:{line_of(path, '{utility: 2 MW}')}"
    with pytest.raises(UsageError, match="no scenario 'thigt': did you mean 'tight'"):
        load(path, scenario="thigt")


@pytest.mark.parametrize("scenario", [None, "bad", "good"])
def test_mistakes_in_a_scenario_do_not_wait_until_it_is_asked_for(
    case: Callable, problems: Callable, line_of: Callable, scenario: str | None
) -> None:
    path = case(
        extra="scenarios:\n  bad:\n    sites: {main: {utility: 2,\n      utilty: 3 MW}}\n    workloads: {train: {model: nobody}}\n"
        "  good:\n    sites: {main: {utility: 2 MW}}\n"
    )
    found = problems(path, scenario=scenario)
    assert [problem.code for problem in found] == ["unit-missing", "unknown-key", "unknown-model"]
    assert [problem.where for problem in found] == [
        f"{path}:{line_of(path, text)}" for text in ("{utility: 2,", "utilty", "nobody")
    ]
    assert all(problem.found.startswith("scenario bad: ") == (scenario != "bad") for problem in found)
    broken = case(("utility: 5 MW", "utility: 5"), extra="scenarios:\n  a:\n    name: other\n", name="broken.yaml")
    assert len(problems(broken)) == 1  # once, not once for each scenario


@pytest.mark.parametrize("text", ["scenarios: [a]\n", "scenarios: 3\n", "scenarios: {a: 3}\n", "scenarios: {a: [1]}\n"])
def test_scenarios_that_are_no_overrides(case: Callable, problems: Callable, text: str) -> None:
    (found,) = problems(case(extra=text))
    assert found.code == "scenarios"


def test_overrides_come_last(case: Callable) -> None:
    changed = load(case(), overrides={"sites": {"main": {"utility": "3 MW"}}})
    assert changed.sites["main"].utility.value == 3e6
    assert changed.origin("sites.main.utility") == "override"
    assert changed.origin("sites.main.floor") != "override"
    with pytest.raises(InstanceError, match=r"  override: unit-missing: limits\.opex: '3' has no unit"):
        load(case(), overrides={"limits": {"opex": "3"}})
    assert changed.sites["main"].floor == "slab"


def test_merge_keys_and_anchors_are_read_with_their_lines(case: Callable) -> None:
    path = case(
        (
            "  capex: 150 MUSD",
            "  capex: &limit {value: 150 MUSD, owner: cfo}\n  opex:\n    <<: *limit\n    reason: same",
        )
    )
    limits = load(path).limits
    assert limits.opex is not None
    assert (limits.opex.value, limits.opex.owner, limits.opex.reason) == (150e6, "cfo", "same")


def test_owner_reason_and_label_travel_with_a_value(case: Callable) -> None:
    stated = load(case()).assumptions.design_power_share
    assert (stated.value, stated.owner, stated.reason, stated.label) == (
        0.9,
        "facilities",
        "metered last year",
        "internal",
    )
    assert load(case()).assumptions.training_derating.owner == ""


def test_nobody_speaks_for_a_number_that_overrides_theirs(case: Callable, tmp_path: Path) -> None:
    quote = "quotes: {q: {part: dgx_h100, vendor: X, price: 300 kUSD, owner: buyer, source: letter 7}}\n"
    rule = "rules: {cap: {of: {vendor: NVIDIA}, at_most: 9, owner: buyer, reason: policy}}\n"
    case(extra=quote + rule)
    text = "schema: 1\nextends: case.yaml\n"
    again = (
        "assumptions: {design_power_share: {value: 0.9}}\nquotes: {q: {minimum_order: 4}}\nrules: {cap: {owner: me}}\n"
    )
    kept = load(_child(tmp_path, text + again, "again.yaml"))
    assert kept.assumptions.design_power_share.owner == "facilities"
    assert (kept.quotes["q"].owner, kept.quotes["q"].source) == ("buyer", "letter 7")
    assert (kept.rules["cap"].owner, kept.rules["cap"].reason) == ("me", "policy")
    other = (
        "assumptions: {design_power_share: {value: 0.8, reason: guess}}\nquotes: {q: {price: 200 kUSD}}\n"
        "rules: {cap: {at_most: 3}}\n"
    )
    child = load(_child(tmp_path, text + other))
    stated = child.assumptions.design_power_share
    assert (stated.value, stated.owner, stated.reason, stated.label) == (0.8, "", "guess", "internal")
    assert (child.quotes["q"].owner, child.quotes["q"].source) == ("", "stated in child.yaml")
    assert (child.rules["cap"].owner, child.rules["cap"].reason) == ("", "")
    changed = load(tmp_path / "case.yaml", overrides={"quotes": {"q": {"price": "1 kUSD"}}})
    assert changed.quotes["q"].source == "stated in this run"


def test_money_is_converted_at_the_dated_rate(case: Callable) -> None:
    instance = load(case(("150 MUSD", "100 MEUR")))
    assert instance.limits.capex is not None
    assert instance.limits.capex.value == pytest.approx(108e6)
    assert str(instance.money.currencies["EUR"].date) == "2026-11-01"
    assert instance.money.price_basis is PriceBasis.MID


def test_fingerprint_changes_with_the_input_and_with_nothing_else(case: Callable, tmp_path: Path) -> None:
    first = load(case())
    assert first.fingerprint == load(case(name="other.yaml")).fingerprint
    assert first.fingerprint == load(case(("\nsites:", "\n# a remark\nsites:"))).fingerprint
    assert first.fingerprint != load(case(("5 MW", "5.1 MW"))).fingerprint


def test_resolved_input_gives_the_same_instance_again(case: Callable) -> None:
    first = load(case())
    again = load_resolved(first.raw, [catalogue_folder()], first.origins)
    assert again.document == first.document
    assert again.fingerprint == first.fingerprint


def test_shipped_instances_load() -> None:
    names = [name for name in shipped_instances() if not name.startswith("broken/")]
    for name in names:
        assert load(name).name


def test_unknown_instance(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no instance file .*nothing\.yaml"):
        find_instance(tmp_path / "nothing.yaml")
    with pytest.raises(UsageError, match="is a folder"):
        find_instance(tmp_path)
    with pytest.raises(UsageError, match="no instance 'trainin-30mw'"):
        find_instance("trainin-30mw")


def test_a_bare_value_over_a_mapping_is_named_where_it_stands(case: Callable, tmp_path: Path) -> None:
    case()
    text = "schema: 1\nextends: case.yaml\nassumptions:\n  discount_rate: 8\n"
    path = _child(tmp_path, text)
    with pytest.raises(InstanceError) as raised:
        load(path)
    (problem,) = raised.value.problems
    assert problem.where == f"{path}:4"
    assert "less than or equal to 1" in problem.expected


def test_a_limit_of_a_site_may_say_who_answers_for_it(case: Callable) -> None:
    path = case(
        ("utility: 5 MW", "utility: {value: 5 MW, owner: facilities, reason: contract of May}"),
        ("rack_positions: 120", "rack_positions: {value: 120, owner: hall}"),
    )
    site = load(path).sites["main"]
    assert (site.utility.value, site.utility.owner, site.utility.reason) == (5e6, "facilities", "contract of May")
    assert (site.rack_positions.value, site.rack_positions.owner) == (120, "hall")
    assert owner_of(load(path), "sites.main.utility") == ("facilities", "contract of May")
    wide = site.without_size()
    assert (wide.utility.value, wide.utility.owner) == (Unlimited.UNLIMITED, "facilities")
