"""Links between two sites, as somebody offers them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from models.policy import Owned
from models.units import BytesPerSecond, DollarsPerSecond, Seconds


class SiteLink(Owned):
    """A link ``between`` two sites: ``bandwidth`` each way, ``latency`` one way, and its ``price`` for as long as it is in use.

    Nothing is paid for a link that no cluster uses; each cluster that is split over sites has links of its own.
    """

    between: tuple[str, str]
    bandwidth: Annotated[BytesPerSecond, Field(gt=0)]
    latency: Seconds
    price: Annotated[DollarsPerSecond, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _two_ends(self) -> SiteLink:
        if self.between[0] == self.between[1]:
            raise ValueError(f"both ends are {self.between[0]}")
        return self
