"""Why something that was considered is not a candidate; kept so that "why not X?" can be answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where a candidate was turned down."""

    DESIGN_SPACE = "design space"
    CATALOGUE = "catalogue"
    RACK = "rack"
    FABRIC = "fabric"
    SITE = "site"
    POD = "pod"
    DOMINANCE = "dominance"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One item turned down: what, where in the work, why in words, and for which cluster and site (empty: for all)."""

    item: str
    stage: Stage
    reason: str
    cluster: str = ""
    site: str = ""
