"""What a user may write wrong: each case with its place, its code, and the words that help to mend it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import InstanceError, nearest
from models.loading import load


def test_the_base_instance_is_valid(case: Callable) -> None:
    instance = load(case())
    assert instance.name == "base"
    assert instance.sites["main"].utility.value == 5e6
    assert instance.workloads["train"].demand == pytest.approx(1e12 / (60 * 86400))


# What is written, what to write instead, text of the line complained of, code, words in the message.
CASES = {
    "unknown key at the top": ("limits:", "limitz:", "limitz", "unknown-key", "did you mean 'limits'?"),
    "unknown key in a workload": ("deadline: 60", "deadlin: 60", "deadlin:", "unknown-key", "did you mean 'deadline'?"),
    "unknown key in a fabric": ("switches:", "swiches:", "swiches", "unknown-key", "did you mean 'switches'?"),
    "unknown key in a site": ("needed_by:", "needed_bye:", "needed_bye", "unknown-key", "did you mean 'needed_by'?"),
    "unknown key in an option": ("loading: 0.9", "lodaing: 0.9", "ups_1500k", "unknown-key", "did you mean 'loading'?"),
    "unknown key in a row plan": ("rack_pitch:", "rack_pich:", "rows:", "unknown-key", "did you mean 'rack_pitch'?"),
    "unknown key in an assumption": ("owner: fac", "ownr: fac", "ownr", "unknown-key", "did you mean 'owner'?"),
    "unknown limit": ("capex: 150", "capx: 150", "capx", "unknown-key", "did you mean 'capex'?"),
    "unknown key in money": ("horizon:", "horizn:", "horizn", "unknown-key", "did you mean 'horizon'?"),
    "missing unit": ("5 MW", "5", "utility: 5", "unit-missing", "5 has no unit; expected power with its unit, for example 30 MW"),
    "missing unit in text": ("5 MW", "'5'", "utility: '5'", "unit-missing", "'5' has no unit"),
    "missing unit in an assumption": ("60 s", "60", "checkpoint_write", "unit-missing", "60 has no unit; expected time"),
    "missing unit in a list": ("[400 Gbit/s]\n        tiers: [1", "[400]\n        tiers: [1", "speeds: [400]", "unit-missing", "expected data rate"),
    "wrong dimension": ("5 MW", "5 MWh", "utility: 5", "unit", "unit 'MWh' is not W; expected power"),
    "gigabit or gigabyte": ("[400 Gbit/s]\n        tiers: [1", "[400 Gb/s]\n        tiers: [1", "400 Gb/s", "unit", "write Gbit/s for bits or GB/s for bytes"),
    "unit in the wrong letters": ("5 MW", "5 Mw", "utility: 5", "unit", "unknown unit 'Mw'; did you mean 'MW'?"),
    "unit of no dimension": ("5 MW", "5 zorkmid", "utility: 5", "unit", "unknown unit 'zorkmid'; valid names: GW, MW, W, kW"),
    "fewer rack units than none": ("reserved_rack_units: 2", "reserved_rack_units: -1", "reserved_rack_units", "value", "-1; expected greater than or equal to 0"),
    "ceiling below nothing": ("150 MUSD", "-150 MUSD", "-150", "value", "expected greater than or equal to 0"),
    "unknown unit": ("60 days", "60 moons", "60 moons", "unit", "unknown unit 'moons'"),
    "unknown currency": ("150 MUSD", "150 MGBP", "MGBP", "unit", "currency GBP has no dated rate under money.currencies; known: USD, EUR"),
    "not a currency code": ("EUR:", "Euro:", "Euro:", "currency", "expected an ISO 4217 code such as EUR"),
    "currency rate of zero": ("usd: 1.08", "usd: 0", "EUR:", "value", "0; expected greater than 0"),
    "boolean for power": ("5 MW", "true", "utility: true", "unit", "True; expected power"),
    "list for power": ("5 MW", "[5 MW]", "utility: [5 MW]", "unit", "expected power"),
    "negative power": ("5 MW", "-5 MW", "utility: -5", "unit", "'-5 MW' is negative; expected power"),
    "negative time": ("60 s", "-60 s", "checkpoint_write", "unit", "'-60 s' is negative"),
    "negative count": ("smallest: 256", "smallest: -256", "-256", "value", "-256; expected greater than 0"),
    "negative rack positions": ("rack_positions: 120", "rack_positions: -1", "rack_positions", "value", "rack_positions is negative: -1"),
    "fractional count": ("model_parallel: 8", "model_parallel: 8.5", "8.5", "value", "8.5; expected a whole number"),
    "no copies for first order": ("model_parallel: 8", "# none", "train:", "missing-key", "model_parallel is missing; expected the number of accelerators"),
    "text for a count": ("model_parallel: 8", "model_parallel: eight", "model_parallel", "value", "'eight'; expected a whole number"),
    "sizes the wrong way round": ("smallest: 256, largest: 1024", "smallest: 2048, largest: 1024", "2048", "value", "smallest 2048 is above largest 1024"),
    "unknown cooling": ("[air, rear_door]", "[air, reardoor]", "reardoor", "value", "'reardoor'; expected 'air', 'rear_door' or 'liquid'"),
    "unknown redundancy": ("redundancy: 2n", "redundancy: 3n", "3n", "value", "'3n'; expected 'n', 'n+1' or '2n'"),
    "unknown kind of workload": ("kind: serving", "kind: dreaming", "serve:", "value", "'dreaming'; expected one of 'training', 'serving'"),
    "unknown price basis": ("price_basis: mid", "price_basis: middle", "middle", "value", "'low', 'mid' or 'high'"),
    "oversubscription below one": ("oversubscription: [1, 2]", "oversubscription: [0.5]", "[0.5]", "value", "0.5; expected greater than or equal to 1"),
    "no fabric tier": ("tiers: [1, 2]", "tiers: []", "tiers: []", "value", "0 entries; expected at least 1"),
    "four tiers": ("tiers: [1, 2]", "tiers: [4]", "tiers: [4]", "value", "4; expected 1, 2 or 3"),
    "not a quarter": ("2027Q1", "2027Q5", "2027Q5", "quarter", "'2027Q5' is no quarter such as 2027Q1"),
    "missing key": ("    deadline: 60 days\n", "", "train:", "missing-key", "deadline is missing; expected time, for example 120 days"),
    "null where a value is needed": ("5 MW", "null", "utility: null", "missing-key", "sites.main.utility is missing; expected power"),
    "no energy price": ("    electricity: us_tx\n", "", "main:", "value", "name a row of electricity.csv in `electricity`, or give both"),
    "mapping expected": ("rows: {racks_per_row: 20, rack_pitch: 600 mm, row_pitch: 3 m, tray_height: 0.8 m}", "rows: 20", "rows: 20", "value", "20; expected keys and values"),
    "unknown model": ("llama31_8b", "llama31_9b", "llama31_9b", "unknown-model", "no model 'llama31_9b' (did you mean 'llama31_8b'?)"),
    "unknown system": ("dgx_h100", "dgx_h1000", "dgx_h1000", "unknown-system", "did you mean 'dgx_h100'?"),
    "unknown switch": ("qm9700", "qm9770", "qm9770", "unknown-switch", "did you mean 'qm9700'?"),
    "unknown power part": ("ups_1500k", "ups_1500", "ups_1500,", "unknown-part", "did you mean 'ups_1500k'?"),
    "unknown cooling part": ("crah_fanwall", "crah", "part: crah,", "unknown-part", "no part 'crah'"),
    "power part in a cooling chain": ("crah_fanwall", "ups_2000k", "ups_2000k", "unknown-part", "no part 'ups_2000k'"),
    "unknown floor": ("floor: slab", "floor: slap", "slap", "unknown-floor", "did you mean 'slab'?"),
    "unknown grid": ("us_tx", "us_txx", "us_txx", "unknown-electricity", "did you mean 'us_tx'?"),
    "day the calendar lacks": ("date: 2026-11-01, source", "date: 2026-02-30, source", "EUR:", "value", "'2026-02-30' is no day of the calendar"),
    "no horizon": ("horizon: 5 years", "horizon: 0 years", "horizon:", "value", "expected greater than 0"),
    "key of another kind": ("kind: training", "kind: training\n    prompt: 5 token", "prompt: 5", "unknown-key", "unknown key 'workloads.train.prompt' (belongs to serving)"),
    "key of another place": ("kind: training", "kind: training\n    sizes: {smallest: 8}", "sizes: {smallest: 8}", "unknown-key", "unknown key 'workloads.train.sizes' (belongs to workloads.NAME.design_space)"),
    "key of the top level": ("    utility: 5 MW", "    catalogues: [mine]\n    utility: 5 MW", "catalogues:", "unknown-key", "unknown key 'sites.main.catalogues' (belongs to the top level)"),
    "unknown site": ("dtype: bf16", "dtype: bf16\n    sites: [mian]", "mian", "unknown-site", "did you mean 'main'?"),
    "unknown vendor": ("systems: [dgx_h100, dgx_b200]", "vendors: [NVIDA]", "NVIDA", "unknown-vendor", "did you mean 'NVIDIA'?"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refusal(case: Callable, problems: Callable, line_of: Callable, name: str) -> None:
    old, new, marker, code, words = CASES[name]
    path = case((old, new))
    found = problems(path)
    assert len(found) == 1, [str(problem) for problem in found]
    assert str(found[0]).startswith(f"{path}:{line_of(path, marker)}: {code}: ")
    assert words in str(found[0])


@pytest.mark.parametrize(
    ("change", "code", "expected"),
    [
        (("schema: 1", "schema: 2"), "schema", "this instance is newer than the program"),
        (("schema: 1\n", ""), "schema", "no schema; expected schema: 1 at the top"),
        (("schema: 1", "schema: one"), "schema", "schema 'one'; expected schema: 1 at the top"),
        (("schema: 1", "schema: 1\nname: twice"), "duplicate-key", 'found duplicate key "name"'),
        (("    dtype: fp8", "    dtype: fp8\n    dtype: bf16"), "duplicate-key", 'found duplicate key "dtype"'),
        (("name: base", "name: [base"), "yaml-syntax", ""),
        (("sites:\n", "sites:\n\tmain: 1\n"), "yaml-syntax", "'\\t'"),
        (("name: base", "name: *nowhere"), "yaml-syntax", "undefined alias"),
    ],
)
def test_files_refused_as_a_whole(
    case: Callable, problems: Callable, change: tuple[str, str], code: str, expected: str
) -> None:
    path = case(change)
    found = problems(path)
    assert [problem.code for problem in found] == [code]
    assert str(found[0]).startswith(f"{path}:")
    assert expected in str(found[0])


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xfe\x00x", "unreadable"), (b"", "yaml-syntax"), (b"- a\n- b\n", "yaml-syntax"), (b"just text", "yaml-syntax"),
     (b"[" * 600, "yaml-syntax")],
    ids=["binary", "empty", "list", "text", "deep"],
)  # fmt: skip
def test_content_that_is_no_instance(tmp_path: Path, problems: Callable, content: bytes, code: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_bytes(content)
    assert [problem.code for problem in problems(path)] == [code]


def test_every_problem_at_once_in_the_order_of_the_file(case: Callable, problems: Callable, line_of: Callable) -> None:
    path = case(
        ("title:", "tilte:"),
        ("60 days", "60"),
        ("[air, rear_door]", "[water]"),
        ("5 MW", "5 Mw"),
        ("redundancy: 2n", "redundancy: none"),
        ("horizon: 5 years", "horizon: 5"),
        ("150 MUSD", "150 M"),
    )
    found = problems(path)
    assert [problem.code for problem in found] == [
        "unknown-key", "unit-missing", "value", "unit", "value", "unit-missing", "unit"
    ]  # fmt: skip
    lines = [int(problem.where.rpartition(":")[2]) for problem in found]
    assert lines == sorted(lines)
    assert lines[0] == line_of(path, "tilte")


def test_every_unknown_name_at_once(case: Callable, problems: Callable) -> None:
    path = case(
        ("dgx_h100, dgx_b200", "dgx_x, dgx_y"), ("qm9700", "qm1"), ("floor: slab", "floor: sand"), ("us_tx", "mars")
    )
    assert [problem.code for problem in problems(path)] == [
        "unknown-system", "unknown-system", "unknown-switch", "unknown-floor", "unknown-electricity"
    ]  # fmt: skip


def test_message_of_the_whole_error_lists_each_problem_on_a_line(case: Callable) -> None:
    from models.errors import InstanceError

    path = case(("60 days", "60"), ("5 MW", "5"))
    with pytest.raises(InstanceError) as caught:
        load(path)
    head, *lines = str(caught.value).splitlines()
    assert head == "2 problems in the instance:"
    assert [line.strip().startswith(f"{path}:") for line in lines] == [True, True]


def test_text_that_falls_apart_at_a_comma_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(
        "schema: 1\nextends: training-30mw\nassumptions:\n  discount_rate: {value: 0.08, reason: cost of debt, and equity}\n",
        encoding="utf-8",
    )
    with pytest.raises(InstanceError) as raised:
        load(path)
    (problem,) = raised.value.problems
    assert (problem.code, problem.where) == ("unknown-key", f"{path}:4")
    assert "needs quotes" in problem.hint


def test_a_batch_of_broken_sequences_is_refused_where_mappings_share_them_out(case: Callable) -> None:
    written = case(("global_batch: 4 Mtoken", "global_batch: 4 Mtoken\n    throughput: mapping"))
    with pytest.raises(InstanceError) as raised:
        load(written)
    (problem,) = raised.value.problems
    assert problem.code == "global-batch"
    assert "488.281 sequences of 8192 tokens" in problem.found
    assert "3.997696 Mtoken are 488" in problem.hint
    assert load(case(("global_batch: 4 Mtoken", "global_batch: 3.997696 Mtoken\n    throughput: mapping")))


@pytest.mark.parametrize("field", ["ttft_at_most: 1 s", "tpot_at_most: 50 ms", "roles: [mixed]"])
def test_limits_on_latency_need_a_search(case: Callable, line_of: Callable, problems: Callable, field: str) -> None:
    written = case(("kind: serving", f"kind: serving\n    {field}"))
    (problem,) = problems(written)
    assert problem.code == "not-read"
    assert problem.where.endswith(f":{line_of(written, field)}")
    assert load(case(("kind: serving", f"kind: serving\n    throughput: mapping\n    {field}")))


@pytest.mark.parametrize(("roles", "legal"), [("[prefill]", False), ("[decode]", False), ("[decode, prefill]", True)])
def test_pods_that_only_prefill_cannot_answer(case: Callable, roles: str, legal: bool) -> None:
    written = case(("kind: serving", f"kind: serving\n    throughput: mapping\n    roles: {roles}"))
    if legal:
        assert load(written)
        return
    with pytest.raises(InstanceError, match="cannot answer"):
        load(written)


def test_a_list_of_valid_names_says_what_it_leaves_out() -> None:
    names = [f"n{number:02d}" for number in range(15)]
    assert nearest("zzz", names).endswith("n11 and 3 more")
    assert nearest("zzz", names[:12]).endswith("n10, n11")
