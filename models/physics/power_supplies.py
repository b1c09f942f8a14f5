"""Power supplies and shelves: what a device can draw normally, with a module gone, and with a feed gone.

Modules are split over the feeds as evenly as possible, so the worst feed takes ceil(n / feeds) of them. A 6 x 3.3 kW device carries 19.8 kW with all
modules, 13.2 kW while a 4+2 promise holds, and 9.9 kW with one of two feeds lost; at 5+1 it promises 16.5 kW, yet a lost feed leaves the same 9.9 kW.
Capacities are output powers of the modules in W.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class SupplyKind(StrEnum):
    """Where a device gets its power from."""

    MODULES = "modules"  # its own power supplies
    SHELVES = "shelves"  # shelves that belong to the rack-scale system
    RACK = "rack"  # the rack's busbar or shelves, which are parts of the rack design
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SupplyConfig:
    """Power supplies of one device as its sheet states them; what the sheet leaves out is None.

    ``modules`` and ``module_w`` describe one device without shelves, or one shelf of ``shelves``. ``needed`` + ``spare`` is the redundancy promised
    (4+2); ``per_feed`` is true where it means whole halves (N+N).
    """

    kind: SupplyKind
    modules: int | None = None
    module_w: float | None = None
    shelves: int | None = None
    shelf_w: float | None = None
    needed: int | None = None
    spare: int | None = None
    per_feed: bool = False

    @property
    def group_w(self) -> float | None:
        """Installed power [W] of one device's modules, or of one shelf; None where the sheet does not say."""
        if self.shelf_w is not None:
            return self.shelf_w
        if self.modules is None or self.module_w is None:
            return None
        return self.modules * self.module_w


_POWER = r"(\d+(?:\.\d+)?)\s*(kW|W)\b"
_COUNT_POWER = re.compile(r"(\d+)\s*[x×*]\s*" + _POWER, re.IGNORECASE)
_POWER_ALONE = re.compile(_POWER, re.IGNORECASE)
_PLUS = re.compile(r"\b(\d+|N)\s*\+\s*(\d+|N)\b", re.IGNORECASE)
_COUNT_ONLY = re.compile(r"\b(\d+)\s*(?:x\s*)?PSUs?\b", re.IGNORECASE)


def _watts(number: str, unit: str) -> float:
    return float(number) * (1000.0 if unit.lower() == "kw" else 1.0)


def _redundancy(text: str, modules: int | None) -> tuple[int | None, int | None, bool]:
    """needed, spare, per_feed from ``4+2``, ``N+1``, ``N+N`` or ``2N``; ValueError where they contradict the module count."""
    match = _PLUS.search(text)
    if match is None:
        if not re.search(r"\b2N\b", text, re.IGNORECASE):
            return None, None, False
        first, second = "N", "N"
    else:
        first, second = match.group(1).upper(), match.group(2).upper()
    if first == "N" and second == "N":
        if modules is None:
            return None, None, True
        if modules % 2:
            raise ValueError(f"{text!r}: {modules} modules cannot be two equal halves")
        return modules // 2, modules // 2, True
    if first == "N":
        spare = int(second)
        if modules is not None and spare >= modules:
            raise ValueError(f"{text!r}: {spare} spare of {modules} modules leaves none to carry the load")
        return (None if modules is None else modules - spare), spare, False
    if second == "N":
        raise ValueError(f"{text!r}: a number + N means nothing; write N+1 or N+N")
    needed, spare = int(first), int(second)
    if modules is not None and needed + spare != modules:
        raise ValueError(f"{text!r}: {needed}+{spare} is not {modules} modules")
    return needed, spare, False


def parse_supply(text: str) -> SupplyConfig:
    """Read a power-supply entry: ``6x3.3kW 4+2``, ``12x3.2kW N+N``, ``6 PSU``, ``8x33kW shelves (6x5.5kW)``, ``4+4``, ``rack busbar``.

    ValueError where the entry contradicts itself (``6x3.3kW 4+1``; modules that do not add up to their shelf within 2 %).
    """
    said = text.strip()
    from_shelves = re.search(r"\bshel(f|ves)\b", said, re.IGNORECASE) is not None
    groups = _COUNT_POWER.findall(said)
    if from_shelves and groups:
        return _shelf_config(said, groups)
    if groups:
        modules, module_w = int(groups[0][0]), _watts(groups[0][1], groups[0][2])
        needed, spare, per_feed = _redundancy(said, modules)
        return SupplyConfig(SupplyKind.MODULES, modules, module_w, needed=needed, spare=spare, per_feed=per_feed)
    count = _COUNT_ONLY.search(said)
    stated = int(count.group(1)) if count else None
    needed, spare, per_feed = _redundancy(said, stated)
    if stated is None and needed is not None and spare is not None:
        stated = needed + spare
    if stated is not None or per_feed:
        return SupplyConfig(SupplyKind.MODULES, stated, needed=needed, spare=spare, per_feed=per_feed)
    if from_shelves or re.search(r"busbar|sidecar|VDC", said, re.IGNORECASE):
        return SupplyConfig(SupplyKind.RACK)
    return SupplyConfig(SupplyKind.UNKNOWN)


def _shelf_config(said: str, groups: list[tuple[str, str, str]]) -> SupplyConfig:
    shelves, shelf_w = int(groups[0][0]), _watts(groups[0][1], groups[0][2])
    modules: int | None = None
    module_w: float | None = None
    if len(groups) > 1:
        modules, module_w = int(groups[1][0]), _watts(groups[1][1], groups[1][2])
    else:
        alone = [_watts(number, unit) for number, unit in _POWER_ALONE.findall(said)]
        smaller = [watts for watts in alone if watts < shelf_w]
        if smaller:
            module_w = smaller[0]
            modules = round(shelf_w / module_w)
    if modules is not None and module_w is not None and abs(modules * module_w - shelf_w) > 0.02 * shelf_w:
        raise ValueError(f"{said!r}: {modules} modules of {module_w:g} W are not a shelf of {shelf_w:g} W")
    needed, spare, per_feed = _redundancy(
        said, shelves if re.search(r"\b(N\s*\+\s*N|2N)\b", said, re.IGNORECASE) else modules
    )
    return SupplyConfig(SupplyKind.SHELVES, modules, module_w, shelves, shelf_w, needed, spare, per_feed)


@dataclass(frozen=True, slots=True)
class SupplyCapacity:
    """Output power [W] of a device's supplies in each state; None where the sheet does not allow it to be known."""

    installed_w: float | None
    promised_w: float | None  # while the stated redundancy is kept
    module_lost_w: float | None
    shelf_lost_w: float | None
    feed_lost_w: float | None


def supply_capacity(config: SupplyConfig, feeds: int = 2) -> SupplyCapacity:
    """Capacities of a parsed entry with its modules, or its shelves, spread evenly over ``feeds`` feeds."""
    group = config.group_w
    if group is None:
        return SupplyCapacity(None, None, None, None, None)
    shelves = config.shelves or 1
    installed = group * shelves
    module = config.module_w
    if module is None and config.modules:
        module = group / config.modules
    units = config.shelves if config.shelves is not None else config.modules
    lost = installed * float(surviving_units(units, feeds)) / units if units else None
    if config.per_feed:
        promised = lost
    elif config.spare is not None and module is not None:
        promised = installed - shelves * config.spare * module
    else:
        promised = None
    return SupplyCapacity(
        installed_w=installed,
        promised_w=promised,
        module_lost_w=None if module is None else installed - module,
        shelf_lost_w=installed - group if config.shelves is not None else None,
        feed_lost_w=lost,
    )


def surviving_units(units: ArrayLike, feeds: ArrayLike = 2) -> Ints:
    """Units left when the feed with most units is lost: n - ceil(n / feeds)."""
    n, f = np.asarray(units, dtype=np.int64), np.asarray(feeds, dtype=np.int64)
    return np.asarray(n - -(-n // f), dtype=np.int64)


@dataclass(frozen=True)
class ShelfCapacity:
    """Usable power [W] of a rack's shelves in each state; fields are arrays of one shape."""

    installed: Floats
    module_reserve: Floats  # each shelf keeps its spare modules back
    shelf_lost: Floats
    feed_lost: Floats
    feed_and_module_lost: Floats  # the remaining shelves still keep their spare modules back


def shelf_capacity(
    shelves: ArrayLike, modules: ArrayLike, module_power: ArrayLike, spare_modules: ArrayLike = 1, feeds: ArrayLike = 2
) -> ShelfCapacity:
    """Usable power of ``shelves`` with ``modules`` of ``module_power`` [W] each, shelves dealt over ``feeds``.

    Eight shelves of 6 x 5.5 kW: 264 kW installed, 220 kW with one module of each shelf in reserve, 231 kW with a shelf lost, 132 kW with a
    feed lost, 110 kW if a lost feed must still leave a spare module per shelf.
    """
    n, m = np.asarray(shelves, dtype=float), np.asarray(modules, dtype=float)
    watts, spare = np.asarray(module_power, dtype=float), np.asarray(spare_modules, dtype=float)
    if np.any(spare >= m):
        raise ValueError("a shelf needs more modules than it keeps spare")
    left = surviving_units(shelves, feeds).astype(float)
    installed, reserve, shelf, feed, both = np.broadcast_arrays(
        n * m * watts,
        n * (m - spare) * watts,
        np.maximum(n - 1, 0) * m * watts,
        left * m * watts,
        left * (m - spare) * watts,
    )
    return ShelfCapacity(installed, reserve, shelf, feed, both)


class FeedLossRemedy(IntEnum):
    """What lets a rack live through the loss of a feed."""

    NONE = 0  # the remaining feed carries the full load
    CAPPING = 1  # it carries the capped load, and the caps act in time
    BATTERY = 2  # batteries in the rack carry the difference for the ride-through time
    CAPPING_AND_BATTERY = 3  # batteries bridge the time until the caps act
    UNSUPPORTED = 4  # nothing at hand: the rack goes down


def feed_loss_remedy(
    load: ArrayLike,
    capped_load: ArrayLike,
    feed_lost_capacity: ArrayLike,
    overload_capacity: ArrayLike = 0.0,
    battery_power: ArrayLike = 0.0,
    battery_energy: ArrayLike = 0.0,
    ride_through: ArrayLike = 0.0,
    capping_delay: ArrayLike = 0.0,
) -> Ints:
    """Which remedy (``FeedLossRemedy``) a rack needs when one feed is lost; the lightest that holds.

    ``load`` [W] sustained peak; ``capped_load`` [W] the lowest the rack can be capped to (``load`` itself where it cannot); ``feed_lost_capacity`` [W] of the supplies left, which
    stand ``overload_capacity`` [W] above it during ``capping_delay`` [s]; batteries give ``battery_power`` [W] and ``battery_energy`` [J]; ``ride_through`` [s] is how long the feed
    may be away.
    """
    need, capped, left, over, power, energy, away, delay = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=float)
            for v in (
                load,
                capped_load,
                feed_lost_capacity,
                overload_capacity,
                battery_power,
                battery_energy,
                ride_through,
                capping_delay,
            )
        )
    )
    missing = need - left
    batteries_carry = (power >= missing) & (energy >= missing * away) & (power > 0)
    caps_carry = capped <= left
    caps_in_time = missing <= np.where(delay > 0, over, np.inf)
    bridge = (power > 0) & (power + over >= missing) & (energy >= np.maximum(missing - over, 0.0) * delay)
    return np.asarray(
        np.select(
            [missing <= 0, caps_carry & caps_in_time, batteries_carry, caps_carry & bridge],
            [FeedLossRemedy.NONE, FeedLossRemedy.CAPPING, FeedLossRemedy.BATTERY, FeedLossRemedy.CAPPING_AND_BATTERY],
            default=FeedLossRemedy.UNSUPPORTED,
        ),
        dtype=np.int64,
    )
