"""Scale-up switching: every accelerator reaches every other of its domain through one level of switch chips, or two.

One level: an accelerator spreads its links evenly over all chips, so the chips are the least divisor of its links that has ports
enough (72 accelerators of 18 links on 72-port chips: 1296 links, 18 chips, one link each). A second level carries all links of all
accelerators, divided by its taper; the first level then needs ports for the links below and for those above.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.physics.network.clos import least_divisor


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """``accelerators`` with ``links`` each on chips of ``ports_per_chip``; ``chassis`` first-level domains when there are two levels."""

    accelerators: int
    links: int
    ports_per_chip: int
    chassis: int = 1
    taper: float = 1.0

    @property
    def total_links(self) -> int:
        """Links of all accelerators."""
        return self.accelerators * self.links

    @property
    def chips(self) -> int | None:
        """Chips of one level that every accelerator touches evenly; None where no even spread has the ports."""
        found = int(least_divisor(self.links, -(-self.total_links // self.ports_per_chip)))
        return found or None

    @property
    def second_level_links(self) -> int:
        """Links between the levels."""
        return round(self.total_links / self.taper)

    @property
    def second_level_chips(self) -> int:
        """Chips of the second level."""
        return -(-self.second_level_links // self.ports_per_chip)

    @property
    def first_level_ports(self) -> int:
        """Ports a first-level domain needs: its accelerators' links and its share of those above."""
        return -(-(self.total_links + self.second_level_links) // self.chassis)

    @property
    def first_level_chips(self) -> int:
        """Least chips of all first-level domains."""
        return self.chassis * -(-self.first_level_ports // self.ports_per_chip)
