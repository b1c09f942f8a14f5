"""What no model here covers, told from a record's fields: adapter fine-tuning, speculative decoding, prefix caches, sparsity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from optimizer.validation.records import SkipRecord

_NOTHING = ("", "none", "no", "false", "off", "0", "0.0", "full", "null", "n/a")
"""Values that say a feature is not in use."""

_FIELDS: tuple[tuple[str, str], ...] = (
    (r"peft|lora|lora_rank|adapter|adapters", "adapter fine-tuning is not covered: few weights have gradients"),
    (
        r"spec|speculative|speculative_.*|spec_.*|draft|draft_.*|eagle|medusa|nextn|mtp_steps|num_speculative_tokens",
        "speculative decoding is not covered: its gain depends on how many drafted tokens are accepted",
    ),
    (r"prefix_cache|prefix_caching|cache_hit_rate", "prefix caches are not covered: their gain depends on the traffic"),
    (r"sparsity|sparse|structured_sparsity", "sparsity is not covered: peaks and products are dense"),
)
_WORDS: tuple[tuple[str, str], ...] = (
    (r"\bq?lora\b|\badapter fine", _FIELDS[0][1]),
    (r"\bspeculative|\bspec[ _-]dec|\beagle-?[123]?\b|\bmedusa\b|\bdraft model", _FIELDS[1][1]),
)
_TEXTS = (
    "method",
    "task",
    "training_type",
    "finetuning",
    "mode",
    "engine",
    "decoding",
    "workload",
    "benchmark",
    "config",
)
"""Fields whose text may name such a feature."""


def check(record: Mapping[str, Any]) -> None:
    """SkipRecord with the reason where the record uses what is out of scope; notes are read too, but not the source."""
    for name, value in record.items():
        stated = str(value).strip().lower()
        if value is None or stated in _NOTHING:
            continue
        key = str(name).lower()
        for pattern, reason in _FIELDS:
            if re.fullmatch(pattern, key):
                raise SkipRecord(f"{reason} ({name}: {value})")
        if key in _TEXTS and isinstance(value, str):
            for pattern, reason in _WORDS:
                if re.search(pattern, stated.replace("_", " ")):
                    raise SkipRecord(f"{reason} ({name}: {value})")
    named = " ".join(str(record.get(key) or "") for key in ("model_name", "model") if isinstance(record.get(key), str))
    if re.search(r"\bq?lora\b", re.sub(r"[^a-z0-9]+", " ", named.lower())):
        raise SkipRecord(f"{_FIELDS[0][1]} ({named.strip()})")
