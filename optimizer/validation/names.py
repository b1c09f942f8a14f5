"""Names as sources spell them: accelerators, models, number formats."""

from __future__ import annotations

import re
from typing import Any

from models.physics.performance.cards import dtype_name

_ALIASES = {
    "a100": "a100_sxm_80",
    "a100_sxm": "a100_sxm_80",
    "a100_80": "a100_sxm_80",
    "a100_40": "a100_sxm_40",
    "a100_pcie": "a100_pcie_80",
    "h100": "h100_sxm",
    "h100_80": "h100_sxm",
    "h100_sxm_80": "h100_sxm",
    "h100_pcie_80": "h100_pcie",
    "h100_nvl_94": "h100_nvl",
    "h200": "h200_sxm",
    "h200_141": "h200_sxm",
    "h200_sxm_141": "h200_sxm",
    "h800": "h800_sxm",
    "h800_sxm_80": "h800_sxm",
    "h20_sxm": "h20",
    "h20_96": "h20",
    "b200": "b200_sxm",
    "b200_180": "b200_sxm",
    "b200_sxm_180": "b200_sxm",
    "b300": "b300_sxm",
    "gb200_nvl72": "gb200",
    "gb200_nvl4": "gb200",
    "gb300_nvl72": "gb300",
    "gh200_144": "gh200",
    "h200_nvl_141": "h200_nvl",
    "v100": "v100_sxm_32",
    "v100_sxm": "v100_sxm_32",
    "v100_32": "v100_sxm_32",
    "v100_16": "v100_sxm_16",
    "a10g": "a10",
    "rtx_pro_6000_server": "rtx_pro_6000",
    "rtx_pro_6000_blackwell": "rtx_pro_6000",
    "mi300": "mi300x",
    "gaudi_2": "gaudi2",
    "gaudi_3": "gaudi3",
    "hpu_gaudi2": "gaudi2",
    "tpu_trillium": "tpu_v6e",
    "trillium": "tpu_v6e",
    "tpu_v6e_trillium": "tpu_v6e",
    "tpu_v6": "tpu_v6e",
    "tpu_v5_lite": "tpu_v5e",
    "tpu_v5litepod": "tpu_v5e",
    "ironwood": "tpu_ironwood",
    "tpu_v7": "tpu_ironwood",
    "tpu_v7x": "tpu_ironwood",
    "tpu7x": "tpu_ironwood",
    "trn1": "trainium1",
    "trainium": "trainium1",
    "trn2": "trainium2",
    "trn3": "trainium3",
}
_VENDORS = re.compile(
    r"^(nvidia|amd|google|intel|habana|aws|instinct|cloud|geforce)_|_(tensor_core_gpu|gpu|oam|ubb|hbm\d?e?|accelerator|chip)$"
)
_SIZE = re.compile(r"_?(\d+)_?g(?:i?b)?(?=_|$)")


def canonical(name: str) -> str:
    """The catalogue id behind a spelling: lower case, underscores, without vendor and memory kind, sizes last; then aliases."""
    plain = re.sub(r"[\s/()-]+", "_", name.strip().lower()).strip("_")
    while (shorter := _VENDORS.sub("", plain)) != plain:
        plain = shorter
    plain = re.sub(r"sxm[2-6]", "sxm", plain)
    plain = re.sub(
        r"^(tpu|trn|mi|gaudi|h|a|b|v)_?(v?\d)", lambda m: f"tpu_{m[2]}" if m[1] == "tpu" else m[1] + m[2], plain
    )
    if size := _SIZE.search(plain):
        plain = _SIZE.sub("", plain, count=1) + f"_{size[1]}"
        plain = plain.strip("_")
    return _ALIASES.get(plain, plain)


def number_format(text: Any, usual: str) -> str:
    """A number format however a record spells its scaling or its mixture, ``usual`` where it prints none; UsageError for unknown ones."""
    if text is None or not str(text).strip():
        return usual
    plain = re.sub(r"[^a-z0-9]+", "_", str(text).lower()).removeprefix("amp_")
    for name, starts in _FORMATS.items():
        if plain.startswith(starts):
            return name
    return dtype_name(plain)


_FORMATS = {
    "fp8": ("fp8", "mxfp8", "float8", "e4m3", "e5m2", "mx_fp8"),
    "fp4": ("nvfp4", "mxfp4", "fp4", "float4"),
    "int8": ("int8", "w8a8_int8", "aqt"),
    "bf16": ("bf16", "bfloat16"),
    "fp16": ("fp16", "float16", "half"),
}


def model_key(name: str) -> str:
    """A model name without owner, punctuation, case and format suffixes."""
    last = name.lower().split("/")[-1] if "/r1" not in name.lower() else "deepseek-v3"
    last = re.sub(r"[-_]v0\.\d$", "", last)
    plain = re.sub(r"[^a-z0-9]+", "", re.sub(r"(?<=\d)\.(?=\d)", "p", last))
    plain = re.sub(r"^meta(?=llama)", "", plain)
    return re.sub(r"(fp8|fp4|nvfp4|mxfp4|bf16|fp16|int8|instruct|chat|hf|it)+$", "", plain)
