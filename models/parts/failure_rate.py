"""How often components fail and how long repair takes, per published population."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from models.parts.part import Part, column
from models.units import PerSecond, Seconds


class FailureRate(Part):
    """``rate`` [1/s] of one component in one population; the rate, not the yearly probability.

    ``rate_low`` and ``rate_high`` span the published fleets and the counting noise behind the figure, where they are known.
    """

    file: ClassVar[str] = "failure_rates.csv"
    plural: ClassVar[str] = "failure_rates"

    population: str = column("population", default="")
    annual_percent: float | None = column("afr_percent")
    rate: PerSecond | None = column("fit", "FIT")
    rate_low: PerSecond | None = column("fit_low", "FIT")
    rate_high: PerSecond | None = column("fit_high", "FIT")
    repair: Seconds | None = column("mttr_h", "h")
    redundancy: str = column("redundancy_note", default="")

    @property
    def span(self) -> tuple[float, float, float]:
        """Low, typical and high rate [1/s]; the typical one stands in for an end that is not known."""
        assert self.rate is not None
        low = self.rate if self.rate_low is None else self.rate_low
        return low, self.rate, self.rate if self.rate_high is None else self.rate_high

    @model_validator(mode="after")
    def _ordered(self) -> FailureRate:
        if self.rate is not None and not self.span[0] <= self.rate <= self.span[2]:
            raise ValueError("fit does not lie between fit_low and fit_high")
        return self


class Interruption(Part):
    """Counts of one cause in one long training run."""

    file: ClassVar[str] = "interruptions.csv"
    plural: ClassVar[str] = "interruptions"

    category: str = column("category", default=...)
    count: int = column("count", default=...)
    published_percent: float | None = column("published_percent")
    recomputed_percent: float | None = column("recomputed_percent")
    per_million_hours: float | None = column("events_per_million_gpu_hours")
    annual_percent_per_accelerator: float | None = column("annual_events_per_gpu_percent")


class JobReliability(Part):
    """Mean time to interruption of one published run."""

    file: ClassVar[str] = "job_reliability.csv"
    plural: ClassVar[str] = "job_reliability"
    reference_only: ClassVar[bool] = True

    accelerators: int | None = column("accelerators")
    interruption_time: Seconds | None = column("jmtti_h", "h")
    uptime_percent: float | None = column("uptime_percent")


class RepairTime(Part):
    """How long a repair action takes."""

    file: ClassVar[str] = "mttr_conventions.csv"
    plural: ClassVar[str] = "repair_times"
    reference_only: ClassVar[bool] = True

    time: Seconds = column("time_h", "h", default=...)
