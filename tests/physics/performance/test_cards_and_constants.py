from __future__ import annotations

import dataclasses
import json

import pytest

from models.candidates.placement import enumerate_candidates
from models.errors import UsageError
from models.loading import load
from models.parts.accelerator import Accelerator
from models.physics.performance.cards import (
    INHERITED_CAST_BYTES,
    INHERITED_NARROW_E_MAX,
    AcceleratorCard,
    ModelShape,
    dtype_name,
)
from models.physics.performance.constants import FILE_NAME, Software, from_document, read_constants, sustained_clocks
from models.shipped import catalogue_folder
from optimizer.performance_cache import PerformanceCache
from tests.physics.performance.conftest import DENSE, EXPERTS, make_card, make_kernels

ROW = {
    "id": "part", "bf16_tflops_dense": "989", "fp8_tflops_dense": "1979", "fp4_tflops_dense": "", "int8_tops_dense": "1979",
    "hbm_gb": "80", "hbm_tb_s": "3.35", "scaleup_gb_s_per_direction": "450", "scaleup_domain_size": "8", "tdp_w": "700",
    "available_quarter": "2022Q4",
}  # fmt: skip


def test_a_row_becomes_a_card_in_si_units():
    card = AcceleratorCard.from_row(ROW, make_kernels())
    assert card.peak == {"bf16": 989e12, "fp16": 989e12, "fp8": 1979e12, "int8": 1979e12}
    assert (card.hbm_bytes, card.hbm_rate, card.scaleup_rate) == (80e9, 3.35e12, 450e9)
    assert card.available == 2022.75


def test_a_sheet_without_bf16_takes_half_its_fp8_rate():
    card = AcceleratorCard.from_row(ROW | {"bf16_tflops_dense": ""}, make_kernels())
    assert card.peak_of("bf16") == pytest.approx(1979e12 / 2)


@pytest.mark.parametrize("column", ["hbm_gb", "scaleup_domain_size"])
def test_a_missing_figure_is_named(column):
    with pytest.raises(UsageError, match=column):
        AcceleratorCard.from_row(ROW | {column: ""}, make_kernels())


def test_an_unmeasured_narrow_format_pays_for_its_casts():
    card = make_card()
    assert card.curve("fp8").cast_bytes == 7.0
    assert card.curve("fp4").cast_bytes == INHERITED_CAST_BYTES
    assert card.curve("fp4").e_max == min(card.curve("bf16").e_max, INHERITED_NARROW_E_MAX)
    assert card.curve("fp16").cast_bytes == 0.0


@pytest.mark.parametrize(("text", "name"), [("bfloat16", "bf16"), ("NVFP4", "fp4"), (" fp8 ", "fp8"), ("half", "fp16")])
def test_formats_are_known_by_their_usual_names(text, name):
    assert dtype_name(text) == name


def test_parameters_of_a_dense_and_a_routed_model():
    inner, keys = DENSE.heads * DENSE.dim, DENSE.kv_heads * DENSE.dim
    layer = DENSE.hidden * (2 * inner + 2 * keys) + 3 * DENSE.hidden * DENSE.ffn
    assert DENSE.params() == DENSE.layers * layer + 2 * DENSE.vocab * DENSE.hidden
    routed = EXPERTS.moe_layers * (EXPERTS.experts - EXPERTS.topk) * EXPERTS.expert_weights()
    assert EXPERTS.params() - EXPERTS.active_params() == pytest.approx(routed + EXPERTS.vocab * EXPERTS.hidden)


def test_latent_attention_caches_its_latent_width_alone():
    assert EXPERTS.kv_width() == 512 + 64
    assert ModelShape("x", 2, 512, 8, 2, 1024, True, 100, 128).kv_width() == 2 * 2 * 64


def test_software_follows_format_and_year():
    assert not Software.of("fp16", 2023.0).fused_attention
    assert not Software.of("bf16", 2020.5).overlap
    assert Software.of("bf16", 2022.75).overlap
    assert Software.of("fp8", 2022.75).attention == "recent"
    assert Software.of("bf16", 2024.0).attention == "recent"
    assert Software.of("bf16", 2022.75).attention == "second"


def test_every_accelerator_has_a_class_and_unknown_ones_the_last():
    constants = read_constants(catalogue_folder() / FILE_NAME)
    assert constants.kernel_class("h100_sxm").name == "hopper"
    assert constants.kernel_class("gb300").name == "blackwell_ultra"
    assert constants.kernel_class("never-heard-of").name
    assert constants.band("never-heard-of") >= constants.band("h100_sxm")
    assert not constants.kernel_class("tpu_v5p").measured


def test_a_part_of_the_same_silicon_sustains_what_its_power_limit_allows():
    def sheet(watts, flops, units):
        return {"tdp_w": watts, "bf16_tflops": flops, "units": units}

    parts = {"same": sheet(700, 989, 132), "cooler": sheet(350, 989, 132), "smaller": sheet(350, 494.5, 66)}
    found = sustained_clocks({"measured": sheet(700, 989, 132), "parts": parts | {"faster": sheet(700, 1978, 132)}})
    assert found["same"] == 1.0
    assert found["cooler"] == pytest.approx(0.5**0.5)
    assert found["smaller"] == pytest.approx(1.0)
    assert found["faster"] == pytest.approx(0.5)
    assert sustained_clocks(None) == {}
    slow = make_card(name="cooler", kernels=make_kernels(sustained=found))
    assert slow.curve("bf16").e_max == pytest.approx(0.8 * 0.5**0.5)
    assert make_card(name="custom", kernels=make_kernels(sustained=found)).curve("bf16").e_max == 0.8


def test_the_sheets_of_the_power_limits_are_those_of_the_catalogue():
    catalogue = load("training-30mw").catalogue.of(Accelerator)
    document = json.loads((catalogue_folder() / FILE_NAME).read_text(encoding="utf-8"))
    for entry in document["classes"].values():
        for name, sheet in entry.get("power", {}).get("parts", {}).items():
            if name in catalogue:
                assert sheet["tdp_w"] == catalogue[name].tdp
                assert sheet["bf16_tflops"] * 1e12 == pytest.approx(catalogue[name].peak_bf16)


def test_constants_of_another_schema_or_incomplete_are_refused(tmp_path):
    document = json.loads((catalogue_folder() / FILE_NAME).read_text(encoding="utf-8"))
    with pytest.raises(UsageError, match="schema 2"):
        from_document(document | {"schema": 2})
    with pytest.raises(UsageError, match="incomplete"):
        from_document({k: v for k, v in document.items() if k != "free"})
    with pytest.raises(UsageError, match="cannot read"):
        read_constants(tmp_path / "none.json")


def test_a_part_and_its_row_make_the_same_card():
    catalogue = load("training-30mw").catalogue
    for part in catalogue.of(Accelerator).values():
        kernels = catalogue.performance.kernel_class(part.id)
        row = catalogue.rows[Accelerator.file][part.id]
        card, printed = part.card(kernels), AcceleratorCard.from_row(row, kernels)
        for name in ("hbm_bytes", "hbm_rate", "scaleup_rate", "scaleup_domain", "tdp_w"):
            assert getattr(card, name) == pytest.approx(getattr(printed, name), rel=1e-12)
        assert dict(card.peak) == pytest.approx(dict(printed.peak), rel=1e-12)
        assert (card.available >= 2022) == (printed.available >= 2022 or printed.available == 0)


def test_what_a_hypothetical_part_could_do_shows_in_its_pods():
    instance = load(
        "tiny/performance",
        overrides={"workloads": {"train": {"throughput": "mapping", "global_batch": "4.194304 Mtoken"}}},
    )
    part = instance.catalogue.of(Accelerator)["h100_sxm"]
    better = part.model_copy(
        update={"peak_bf16": part.peak_bf16 * 1.5, "memory_bandwidth": part.memory_bandwidth * 1.5}
    )
    parts = {**instance.catalogue.parts, Accelerator: {**instance.catalogue.of(Accelerator), part.id: better}}
    changed = dataclasses.replace(instance, catalogue=dataclasses.replace(instance.catalogue, parts=parts))
    rates = [best_by_system(one) for one in (instance, changed)]
    assert rates[1]["dgx_h100"] > 1.2 * rates[0]["dgx_h100"]
    assert rates[1]["mi300x_8u"] == rates[0]["mi300x_8u"]


def best_by_system(instance) -> dict[str, float]:
    (placements,) = enumerate_candidates(instance, PerformanceCache()).placements
    pods, found = placements.pods, {}
    for row in range(len(pods)):
        name = pods.rack_design(row).system.id
        found[name] = max(found.get(name, 0.0), float(pods.throughput[row]))
    return found
