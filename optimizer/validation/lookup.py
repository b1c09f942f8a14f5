"""Cards by the names that measured records use: accelerators, their usual scale-out rate, models, constants."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from models.physics.performance.cards import AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import FILE_NAME, PerformanceConstants, Software, read_constants
from models.shipped import catalogue_folder
from optimizer.validation.names import canonical, model_key
from optimizer.validation.records import SkipRecord
from optimizer.validation.run_facts import sharding
from optimizer.validation.sheets import catalogue_sheet, validation_sheet

_NETWORK = re.compile(r"(\d+)\s*x\s*(\d+)\s*G(?:b/s|bps|bit/s)?.*?per\s+(\d+)-", re.IGNORECASE)
_NODE_NETWORK = re.compile(r"(\d+)\s*G(?:b/s|bps|bit/s)\s+node-node", re.IGNORECASE)
_PER_NODE = 8
_PAPER = re.compile(r"arxiv[: ]+(\d{4})\.\d{4,5}")
_FUSED_ATTENTION = 2206
"""Year and month of the first papers that could use fused attention: its own is arXiv 2205.14135, of the end of May 2022."""
_DEFAULT_NIC_GBPS = 100.0
_MAPPING = ("dp", "tp", "pp", "cp", "mbs")


@dataclass(frozen=True)
class Lookup:
    """Cards and constants a validation works with."""

    constants: PerformanceConstants
    accelerators: Mapping[str, Mapping[str, str]]
    nics: Mapping[str, float]
    systems: tuple[Mapping[str, str], ...]
    models: Mapping[str, Mapping[str, str]]
    clusters: tuple[Mapping[str, str], ...]
    corrections: tuple[Mapping[str, str], ...] = ()
    software: tuple[Mapping[str, str], ...] = ()
    mappings: tuple[Mapping[str, str], ...] = ()
    run_rows: tuple[Mapping[str, str], ...] = ()

    def runs(self, dtype: str, card: AcceleratorCard, record: Mapping[str, Any]) -> Software:
        """The software generation of a record: by format and part, unless its source is known to have used other attention kernels.

        A paper from before fused attention was published, or a source known to have run without it, wrote scores to memory.
        """
        source = str(record.get("source") or "").lower()
        named = (row["attention"] for row in self.software if row["source_contains"].lower() in source)
        known = next(named, None)
        paper = _PAPER.search(source)
        if known == "none" or (known is None and paper and int(paper[1]) < _FUSED_ATTENTION):
            return Software.of("fp16", card.available)
        usual = Software.of(dtype, card.available)
        return usual if known is None else dataclasses.replace(usual, attention=known)

    def corrected(self, record: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
        """The record as its own source has it where the record is known to misprint or to leave out, and what was changed ("" for nothing)."""
        changed, told = dict(record), []
        for row in self.corrections:
            field = row["field"]
            source, printed = str(record.get("source") or ""), changed.get(field)
            if row["source_contains"] not in source:
                continue
            if not row["times"]:
                changed[field] = row["value"]
            elif printed is not None and f"-{printed}-" in f"{source}-":
                # only the number in the system's name counts something else
                changed[field] = round(float(printed) * float(row["times"]))
            else:
                continue
            told.append(f"{field} {changed[field]} for {'none printed' if printed is None else printed}")
        told += self._filled(changed) + self._as_run(changed)
        return (changed, f"as its source has it: {', '.join(told)}") if told else (record, "")

    def _filled(self, record: dict[str, Any]) -> list[str]:
        """Put the mapping that a record's source states elsewhere into a record that prints none; what was put in."""
        source = str(record.get("source") or "")
        row = next((row for row in self.mappings if row["source_contains"] in source), None)
        if row is None or any(record.get(field) is not None for field in _MAPPING):
            return []
        stated = {
            field: row[field]
            for field in (*_MAPPING, "recompute", "sharding", "shard_group", "seq_parallel")
            if row[field]
        }
        record.update({name: int(text) if text.isdigit() else text for name, text in stated.items()})
        return [f"mapping {' '.join(f'{name} {text}' for name, text in stated.items())}"]

    def _counts(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a record prints of its model's shape, or the shape of the model it names."""
        printed = record.get("model")
        if isinstance(printed, Mapping):
            return printed
        name = str(printed or record.get("model_name") or "")
        return dataclasses.asdict(self.model(name)) if self.knows(name) else {}

    def _as_run(self, record: dict[str, Any]) -> list[str]:
        """Put what a record's source tells elsewhere of how such runs were made into fields that the record leaves out; what was put in."""
        told: list[str] = []
        source = str(record.get("source") or "").lower()
        rows = [row for row in self.run_rows if row["source_contains"] in source]
        model = self._counts(record) if rows else {}
        text = f"{source} {record.get('note') or ''} {record.get('id') or ''}".lower()
        part = canonical(str(record.get("accelerator") or ""))
        for row in rows:
            field = row["field"]
            alike = all(str(model.get(key)) == row[key] for key in ("experts", "hidden") if row[key] not in ("", "*"))
            alike = alike and (row["experts"] != "*" or bool(model.get("experts")))
            named = any(fnmatch.fnmatchcase(part, pattern) for pattern in row["accelerators"].split(";"))
            if record.get(field) is not None or not alike or not named or (row["unless"] and row["unless"] in text):
                continue
            if row["sharding"] in ("", str(sharding(record))):
                record[field] = row["value"]
                told.append(f"{field} {row['value']}")
        return told

    def accelerator(self, name: str | None) -> AcceleratorCard:
        """The card of an accelerator; SkipRecord when the catalogue has no row of it."""
        if not name:
            raise SkipRecord("no accelerator is named")
        spelt = str(name).strip().lower().replace("-", "_")
        key = spelt if spelt in self.accelerators else canonical(str(name))
        row = self.accelerators.get(key)
        if row is None:
            near = difflib.get_close_matches(key, self.accelerators, 1)
            raise SkipRecord(
                f"no catalogue row for accelerator {name!r}" + (f"; the nearest is {near[0]}" if near else "")
            )
        return AcceleratorCard.from_row(row, self.constants.kernel_class(key))

    def network(self, card: AcceleratorCard, record: Mapping[str, Any]) -> Network:
        """The network a record states, else that of the cluster its source describes, else the usual one of the accelerator."""
        gbps = self.nics.get(card.name, _DEFAULT_NIC_GBPS)
        for cluster in self.clusters:
            if cluster["source_contains"] in str(record.get("source") or ""):
                gbps = float(cluster["nic_gbps"])
        described = f"{record.get('network') or ''} {record.get('section') or ''}"
        if match := _NETWORK.search(described):
            gbps = float(match[1]) * float(match[2]) / float(match[3])
        elif match := _NODE_NETWORK.search(described):
            gbps = float(match[1]) / (float(record.get("gpus_per_node") or _PER_NODE))
        return Network.of(card, gbps * 1e9 / 8.0)

    def knows(self, name: str) -> bool:
        """Whether there is a card of this name."""
        return model_key(name) in self.models

    def model(self, name: str) -> ModelShape:
        """A model card by id or alias; SkipRecord when there is none."""
        row = self.models.get(model_key(name))
        if row is None:
            near = difflib.get_close_matches(model_key(name), self.models, 1)
            raise SkipRecord(
                f"no model card for {name!r}" + (f"; the nearest is {self.models[near[0]]['id']}" if near else "")
            )
        return shape_of_row(row)

    def stated(self, record: Mapping[str, Any]) -> ModelShape:
        """The model of a record: by the shape it prints, by name where it prints none; ``seq`` of the record where it has one."""
        printed = record.get("model")
        if isinstance(printed, Mapping) and any(printed.get(key) is not None for key in ("layers", "hidden")):
            return self.shape({"seq": record.get("seq"), **printed})
        fields = printed if isinstance(printed, Mapping) else {}
        name = str(fields.get("name") or record.get("model_name") or (printed if isinstance(printed, str) else ""))
        seq = fields.get("seq") or record.get("seq") or record.get("seq_len")
        found = self.model(name)
        return found.with_seq(int(seq)) if seq else found

    def shape(self, fields: Mapping[str, Any]) -> ModelShape:
        """A shape from a record's ``model`` mapping; what it does not print is taken from the card of the same shape."""
        card = next((r for r in self.models.values() if _same_shape(r, fields)), None)
        lacking = [key for key in ("layers", "hidden", "heads", "vocab", "seq") if fields.get(key) is None]
        if lacking:
            raise SkipRecord(f"the model prints no {', '.join(lacking)}")
        known = shape_of_row(card) if card else None
        return _shape(fields, known)


def _same_shape(row: Mapping[str, str], fields: Mapping[str, Any]) -> bool:
    if bool(row.get("experts")) != bool(fields.get("experts")):
        return False
    ffn, gated = fields.get("ffn"), fields.get("gated")
    if (ffn is not None and str(ffn) != row.get("ffn")) or (gated is not None and str(bool(gated)) != row.get("gated")):
        return False
    keys = fields if fields.get("kv_heads") is not None else {**fields, "kv_heads": fields.get("heads")}
    return all(str(keys.get(key)) == row.get(key) for key in ("layers", "hidden", "heads", "kv_heads"))


def _whole(text: str | None, default: int = 0) -> int:
    return int(float(text)) if text not in (None, "") else default


def shape_of_row(row: Mapping[str, str]) -> ModelShape:
    """The shape of a row of ``models.csv``."""
    return ModelShape(
        name=row["id"],
        gated=row["gated"].strip().lower() == "true",
        tied=(row.get("tied") or "").strip().lower() == "true",
        attention=row.get("attention") or "gqa",
        kv_latent=_whole(row.get("kv_latent"), 512),
        rope_dim=_whole(row.get("rope_dim"), 64),
        params_printed=float(row["params_total"]) if row.get("params_total") else None,
        **{key: _whole(row.get(key)) for key in _WHOLE},
    )


_WHOLE = (
    "layers",
    "hidden",
    "heads",
    "kv_heads",
    "ffn",
    "vocab",
    "seq",
    "head_dim",
    "experts",
    "topk",
    "moe_ffn",
    "shared_experts",
    "shared_ffn",
    "route_domains",
    "dense_layers",
    "q_latent",
    "linear_layers",
    "linear_heads",
    "linear_key_heads",
    "linear_dim",
    "window",
    "window_layers",
)


def _shape(fields: Mapping[str, Any], known: ModelShape | None) -> ModelShape:
    def whole(key: str, default: int = 0) -> int:
        value = fields.get(key)
        if value is None:
            return int(getattr(known, key)) if known is not None else default
        return int(value)

    attention = str(fields.get("attention") or (known.attention if known else "gqa")).lower()
    latent = attention == "mla"
    experts = whole("experts")
    if whole("window_layers") + whole("linear_layers") > int(fields["layers"]):
        raise SkipRecord("the model prints more layers with a window or a constant state than layers")
    moe_ffn = whole("moe_ffn")
    if experts and not moe_ffn:
        moe_ffn = whole("ffn")
    return ModelShape(
        name=str(fields.get("name", "")),
        layers=int(fields["layers"]),
        hidden=int(fields["hidden"]),
        heads=int(fields["heads"]),
        kv_heads=whole("kv_heads", int(fields["heads"])),
        ffn=whole("ffn", moe_ffn),
        gated=bool(fields.get("gated", known.gated if known else True)),
        vocab=int(fields["vocab"]),
        seq=int(fields["seq"]),
        head_dim=whole("head_dim", 128 if latent else 0),
        experts=experts,
        topk=whole("topk"),
        moe_ffn=moe_ffn,
        shared_experts=whole("shared_experts"),
        shared_ffn=whole("shared_ffn"),
        route_domains=whole("route_domains"),
        dense_layers=whole("dense_layers"),
        attention=attention,
        q_latent=whole("q_latent", 1536 if latent else 0),
        kv_latent=whole("kv_latent", 512),
        rope_dim=whole("rope_dim", 64),
        tied=known.tied if known else True,
        **{key: whole(key) for key in _WHOLE if key.startswith(("linear_", "window"))},
    )


@cache
def shipped_lookup() -> Lookup:
    """Cards from the shipped catalogue, with the sheets of parts that only measurements still use."""
    folder = catalogue_folder()
    measured = validation_sheet("accelerators")
    accelerators = {row["id"]: row for row in measured + catalogue_sheet("accelerators")}
    nics = {row["id"]: float(row["nic_gbps"]) for row in measured if row.get("nic_gbps")}
    usual = validation_sheet("scaleout")
    nics.update({row["accelerator"]: float(row["nic_gbps"]) for row in usual})
    systems = catalogue_sheet("systems")
    for row in reversed(systems):
        if row["accelerator_id"] and row["scaleout_nics"] and row["scaleout_nic_gbps"]:
            rate = float(row["scaleout_nics"]) * float(row["scaleout_nic_gbps"]) / float(row["accelerators"])
            nics[row["accelerator_id"]] = rate
    cards: dict[str, dict[str, str]] = {}
    for row in catalogue_sheet("models"):
        for name in [row["id"], *(row.get("aliases") or "").split(";")]:
            if name:
                cards[model_key(name)] = row
    clusters = validation_sheet("clusters")
    corrections = validation_sheet("corrections")
    constants = read_constants(folder / FILE_NAME)
    software = validation_sheet("software")
    mappings = validation_sheet("mappings")
    runs = validation_sheet("runs")
    return Lookup(constants, accelerators, nics, systems, cards, clusters, corrections, software, mappings, runs)
