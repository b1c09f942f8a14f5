"""Why a part is in no candidate: the reasons kept while racks, fabrics, sites and pods were enumerated."""

from __future__ import annotations

from models.candidates.placement import Candidates
from models.instance import Instance

MOST = 4


def rejections_of(found: Candidates, name: str) -> list[str]:
    """Reasons given for an item or anything made of it, each once, with how many items share it."""
    alike: dict[str, list[str]] = {}
    for rejection in found.rejections:
        if _is_about(rejection.item, name):
            where = " at ".join(part for part in (rejection.cluster, rejection.site) if part)
            alike.setdefault(f"{rejection.stage.value}: {rejection.reason}", []).append(where)
    return [f"{reason} ({', '.join(dict.fromkeys(w for w in where if w))})" for reason, where in alike.items()]


def reasons_against(instance: Instance, name: str, candidates: Candidates) -> str:
    """In words why no legal design has the part."""
    found = rejections_of(candidates, name)
    if not found:
        kind = next((type(part).plural for part in instance.catalogue if part.id == name), "parts")
        return f"no legal design of {instance.name} can buy it: nothing among its candidates uses it, see `optimizer check` for the usable {kind}"
    more = f"; and {len(found) - MOST} other reasons" if len(found) > MOST else ""
    return "; ".join(found[:MOST]) + more


def _is_about(item: str, name: str) -> bool:
    """``8x<name>@frame.air``, ``<name>@frame``, ``chain=<name>`` or the name itself."""
    bare = item.partition("@")[0]
    return name in (
        item,
        bare,
        bare.partition("x")[2],
        item.partition("=")[2],
        item.partition("@")[2].partition(".")[0],
    )
