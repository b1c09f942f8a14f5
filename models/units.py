"""The closed unit registry: every unit the project understands, and field types that carry their unit.

One canonical unit per dimension inside (W, B, B/s, USD, s, m, kg, K, FLOP/s, token/s, ...); text with a unit at the edge.
A bare number is refused for anything that has a dimension. The registry is our own: general ones read ``400 Gb/s`` as
gilbert per second. Temperatures on a scale (``degC``) and temperature differences (``K``) are different dimensions.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from models.errors import nearest

if TYPE_CHECKING:
    import pint

_DEFINITIONS = """
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
tera- = 1e12 = T-
peta- = 1e15 = P-
exa- = 1e18 = E-
milli- = 1e-3 = m-
micro- = 1e-6 = u-
nano- = 1e-9 = n-
kibi- = 1024 = Ki-
mebi- = 1048576 = Mi-
gibi- = 1073741824 = Gi-
tebi- = 1099511627776 = Ti-

meter = [length] = m
gram = [mass] = g
second = [time] = s
ampere = [current] = A
kelvin = [temperature] = K
celsius_point = [temperature_point] = degC
byte = [information] = B
dollar = [money] = USD
token = [token] = _ = tokens
operation = [computation] = FLOP
item = [item]
percent = 0.01 = %

minute = 60 second = min
hour = 3600 second = h
day = 24 hour = d = days
week = 7 day
month = 30.4375 day = months
year = 365.25 day = yr = years
bit = 0.125 byte
tonne = 1000 kilogram = t
inch = 0.0254 meter
foot = 0.3048 meter = ft
pound_mass = 0.45359237 kilogram = lb
liter = 0.001 meter ** 3 = L = l
newton = kilogram * meter / second ** 2 = N
pascal = newton / meter ** 2 = Pa
bar = 100000 pascal
joule = newton * meter = J
watt = joule / second = W
volt = watt / ampere = V
watt_hour = 3600 joule = Wh
bit_per_second = bit / second = bps
cubic_foot_per_minute = 0.3048 ** 3 * meter ** 3 / minute = CFM
failure_in_time = 1e-9 / hour = FIT
"""


@functools.cache
def registry() -> pint.UnitRegistry[float]:
    """The registry, made once; nothing else in the process sees or changes it."""
    import pint

    made: pint.UnitRegistry[float] = pint.UnitRegistry(filename=None, autoconvert_offset_to_baseunit=False)
    made.load_definitions(_DEFINITIONS.strip().splitlines())
    return made


@dataclass(frozen=True, slots=True)
class Unit:
    """A canonical unit: its symbol in text, the suffix it has in column names, and the dimension in words."""

    symbol: str
    suffix: str
    dimension: str
    example: str

    def __str__(self) -> str:
        return self.symbol


WATT = Unit("W", "w", "power", "30 MW")
JOULE = Unit("J", "j", "energy", "12 kWh")
BYTE = Unit("B", "b", "amount of data", "80 GB")
BYTE_PER_SECOND = Unit("B/s", "b_s", "data rate", "400 Gbit/s")
USD = Unit("USD", "usd", "money", "250000 USD")
USD_PER_JOULE = Unit("USD/J", "usd_j", "price of energy", "0.07 USD/kWh")
USD_PER_WATT = Unit("USD/W", "usd_w", "price of power", "11 USD/W")
USD_PER_SECOND = Unit("USD/s", "usd_s", "price for a time", "50 kUSD/month")
USD_PER_WATT_SECOND = Unit("USD/(W*s)", "usd_w_s", "price of power for a time", "15 USD/kW/month")
SECOND = Unit("s", "s", "time", "120 days")
METER = Unit("m", "m", "length", "600 mm")
SQUARE_METER = Unit("m**2", "m2", "area", "2 m**2")
CUBIC_METER_PER_SECOND = Unit("m**3/s", "m3_s", "volume flow", "90 L/min")
KILOGRAM = Unit("kg", "kg", "mass", "1360 kg")
KILOGRAM_PER_SQUARE_METER = Unit("kg/m**2", "kg_m2", "floor load", "1800 kg/m**2")
VOLT = Unit("V", "v", "voltage", "415 V")
AMPERE = Unit("A", "a", "current", "60 A")
PASCAL = Unit("Pa", "pa", "pressure", "2 bar")
KELVIN = Unit("K", "k", "temperature difference", "10 K")
CELSIUS = Unit("degC", "degc", "temperature", "32 degC")
FLOP_PER_SECOND = Unit("FLOP/s", "flop_s", "arithmetic rate", "989 TFLOP/s")
TOKEN = Unit("token", "tokens", "number of tokens", "15.6 Ttoken")
TOKEN_PER_SECOND = Unit("token/s", "tokens_s", "token rate", "1.2 Mtoken/s")
PER_SECOND = Unit("1/s", "per_s", "event rate", "5000 FIT")
KILOGRAM_PER_JOULE = Unit("kg/J", "kg_j", "carbon intensity", "0.384 kg/kWh")
FRACTION = Unit("", "fraction", "fraction", "0.95 or 95 %")

# Below zero makes sense for a temperature, a difference, a rate of change, money paid back and carbon taken out.
_SIGNED = (
    CELSIUS,
    KELVIN,
    FRACTION,
    USD,
    USD_PER_JOULE,
    USD_PER_WATT,
    USD_PER_SECOND,
    USD_PER_WATT_SECOND,
    KILOGRAM_PER_JOULE,
)

# Text such as "30 MW": a number, then a unit that begins with a letter or a percent sign.
_QUANTITY = re.compile(r"^\s*([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$")


# An optional prefix and a three-letter currency code, standing at the start of the unit.
_CURRENCY = re.compile(r"^([kMGT]?)([A-Z]{3})(?![A-Za-z])")


# Names, one-digit powers, products and quotients: the units library would compute any arithmetic it is given.
_UNIT_TEXT = re.compile(r"(?:1 ?/)?(?:[A-Za-z_%]+(?:(?:\*\*|\^)-?\d(?!\d|\*|\^))?|[*/() ])*")


class UnitError(ValueError):
    """Text that is no quantity of the wanted dimension; the message says what was found and expected."""


# Spellings people use, for naming the nearest where one is unknown.
_SPELT = """
W kW MW GW J kJ MJ GJ Wh kWh MWh GWh B kB MB GB TB PB EB KiB MiB GiB TiB
B/s MB/s GB/s TB/s bit/s Mbit/s Gbit/s Tbit/s USD kUSD MUSD GUSD USD/J USD/kWh USD/MWh USD/W USD/kW USD/kW/month USD/kW/year USD/month USD/year
s ms us min minute h hour d day days week month months year years yr m mm km inch ft foot m**2 ft**2
m**3/s m**3/h L/s L/min CFM kg g t tonne lb kg/m**2 lb/ft**2 V kV A kA Pa kPa MPa bar K degC FLOP/s GFLOP/s TFLOP/s PFLOP/s EFLOP/s
token tokens ktoken Mtoken Gtoken Ttoken token/s ktoken/s Mtoken/s Gtoken/s 1/s 1/h 1/day 1/year FIT kg/J kg/kWh t/MWh % percent
"""


def _near_unit(unit_text: str, canonical: str) -> str:
    """A hint: the spelling of the wanted dimension nearest to ``unit_text``, or the spellings there are."""
    made = registry()
    target = made.parse_units(canonical)
    return nearest(unit_text, [name for name in _SPELT.split() if made.parse_units(name).is_compatible_with(target)])


@functools.lru_cache(maxsize=4096)
def _factor(unit_text: str, canonical: str) -> float:
    """Multiplier from ``unit_text`` to the canonical unit; UnitError where unknown or of another dimension."""
    import pint

    made = registry()
    try:
        if not _UNIT_TEXT.fullmatch(unit_text):
            raise ValueError(unit_text)
        parsed = made.parse_units(unit_text)
    except Exception as error:  # the units library lets its tokenizer's and evaluator's own errors through
        bits = re.search(r"[kMGTP]b(/|$)", unit_text)
        hint = "write Gbit/s for bits or GB/s for bytes" if bits else _near_unit(unit_text, canonical)
        raise UnitError(f"unknown unit {unit_text!r}; {hint}") from error
    target = made.parse_units(canonical)
    try:
        return float(made.Quantity(1.0, parsed).to(target).magnitude)
    except pint.DimensionalityError as error:
        raise UnitError(f"unit {unit_text!r} is not {canonical or 'dimensionless'}") from error


def _scaled(number: float, factor: float) -> float:
    """``number * factor``, dividing by the inverse where that is whole, so that ``95 %`` is 0.95 and not 0.9500...01."""
    inverse = 1.0 / factor
    if factor < 1.0 and abs(inverse - round(inverse)) < 1e-9 * inverse:
        return number / round(inverse)
    return number * factor


def _money(unit_text: str, rates: Mapping[str, float]) -> tuple[str, float]:
    """``unit_text`` with its currency replaced by USD, and what one unit of that currency is worth in USD."""
    match = _CURRENCY.search(unit_text)
    if not match or match.group(2) == "USD":
        return unit_text, 1.0
    if match.group(2) not in rates:
        known = ", ".join(["USD", *sorted(rates)])
        raise UnitError(f"currency {match.group(2)} has no dated rate under money.currencies; known: {known}")
    return unit_text[: match.start(2)] + "USD" + unit_text[match.end(2) :], rates[match.group(2)]


_LONGEST = 60
_SMALLEST, _GREATEST = 1e-30, 1e30


def parse(text: str, unit: Unit, rates: Mapping[str, float] | None = None) -> float:
    """The quantity in ``text`` in canonical ``unit``; UnitError says what is missing or wrong.

    ``rates``: USD per unit of other currencies, by ISO code, used where ``unit`` is money.
    """
    shown = repr(text) if len(text) <= _LONGEST else f"{text[:_LONGEST]!r}..."
    match = _QUANTITY.match(text)
    if not match:
        raise UnitError(f"{shown} is not a number with a unit")
    number, unit_text = float(match.group(1).replace("_", "")), match.group(2)
    if not unit_text and unit is not FRACTION:
        raise UnitError(f"{shown} has no unit")
    try:
        rate = 1.0
        if unit.symbol.startswith("USD"):
            unit_text, rate = _money(unit_text, rates or {})
        value = _scaled(number, _factor(unit_text, unit.symbol)) * rate
    except UnitError as error:
        raise UnitError(f"{shown}: {error}") from None
    if not math.isfinite(value):
        raise UnitError(f"{shown} is not finite")
    if value and not _SMALLEST <= abs(value) <= _GREATEST:
        raise UnitError(f"{shown} is beyond any size that occurs")
    return value


def convert(value: float, from_unit: str, unit: Unit) -> float:
    """``value`` in ``from_unit`` expressed in canonical ``unit``; UnitError for an unknown or wrong unit."""
    return _scaled(value, _factor(from_unit, unit.symbol))


def to_unit(value: float, unit: Unit, shown: str) -> float:
    """A canonical value expressed in the unit ``shown`` (for tables): 3.0e7 W in MW is 30."""
    return value / _factor(shown, unit.symbol)


_PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def show(value: float, unit: Unit, digits: int = 4) -> str:
    """A canonical value as text a person reads: 3.0e7 W is ``30 MW``; data rates are shown in bit/s."""
    if unit is FRACTION:
        return f"{value:.{digits}g}"
    if unit is BYTE_PER_SECOND:
        return _prefixed_text(value * 8, "bit/s", digits)
    if unit is SECOND:
        for size, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
            if abs(value) >= size:
                return f"{value / size:.{digits}g} {name}"
        return f"{value:.{digits}g} s"
    if unit is JOULE:
        return _prefixed_text(value / 3600.0, "Wh", digits)
    if unit is KILOGRAM:
        return f"{value / 1000:.{digits}g} t" if abs(value) >= 10_000 else f"{value:.{digits}g} kg"
    if unit in (WATT, BYTE, USD, FLOP_PER_SECOND, TOKEN, TOKEN_PER_SECOND):
        return _prefixed_text(value, unit.symbol, digits)
    return f"{value:.{digits}g} {unit.symbol}"


def _prefixed_text(value: float, symbol: str, digits: int) -> str:
    for size, prefix in _PREFIXES:
        if abs(value) >= size or size == 1.0:
            return f"{value / size:.{digits}g} {prefix}{symbol}"
    raise AssertionError("the last prefix always matches")


def _refuse(code: str, found: str, unit: Unit) -> PydanticCustomError:
    return PydanticCustomError(
        code,
        "{found}; expected {dimension} with its unit, for example {example}",
        {"found": found, "dimension": unit.dimension, "example": unit.example},
    )


def _read(value: Any, info: ValidationInfo, unit: Unit) -> float:
    if isinstance(value, Canonical):
        return float(value)
    if value is None or isinstance(value, bool):
        raise _refuse("unit", repr(value), unit)
    if isinstance(value, int | float):
        if unit is FRACTION and value and not _SMALLEST <= abs(value) <= _GREATEST:
            raise _refuse("unit", f"{str(value)[:_LONGEST]} is beyond any size that occurs", unit)
        if unit is FRACTION:
            return float(value)
        raise _refuse("unit-missing", f"{value!r} has no unit", unit)
    rates = (info.context or {}).get("rates", {})
    try:
        number = parse(str(value), unit, rates)
    except UnitError as error:
        raise _refuse("unit-missing" if "has no unit" in str(error) else "unit", str(error), unit) from None
    if number < 0 and unit not in _SIGNED:
        raise _refuse("unit", f"{value!r} is negative", unit)
    return number


def _validator(unit: Unit) -> BeforeValidator:
    def read(value: Any, info: ValidationInfo) -> float:
        return _read(value, info, unit)

    return BeforeValidator(read)


class Canonical(float):
    """A number already in the canonical unit; what catalogue readers pass after converting a column."""


Watts = Annotated[float, WATT, _validator(WATT)]
Joules = Annotated[float, JOULE, _validator(JOULE)]
Bytes = Annotated[float, BYTE, _validator(BYTE)]
BytesPerSecond = Annotated[float, BYTE_PER_SECOND, _validator(BYTE_PER_SECOND)]
Dollars = Annotated[float, USD, _validator(USD)]
DollarsPerJoule = Annotated[float, USD_PER_JOULE, _validator(USD_PER_JOULE)]
DollarsPerWatt = Annotated[float, USD_PER_WATT, _validator(USD_PER_WATT)]
DollarsPerSecond = Annotated[float, USD_PER_SECOND, _validator(USD_PER_SECOND)]
DollarsPerWattSecond = Annotated[float, USD_PER_WATT_SECOND, _validator(USD_PER_WATT_SECOND)]
Seconds = Annotated[float, SECOND, _validator(SECOND)]
Meters = Annotated[float, METER, _validator(METER)]
SquareMeters = Annotated[float, SQUARE_METER, _validator(SQUARE_METER)]
CubicMetersPerSecond = Annotated[float, CUBIC_METER_PER_SECOND, _validator(CUBIC_METER_PER_SECOND)]
Kilograms = Annotated[float, KILOGRAM, _validator(KILOGRAM)]
KilogramsPerSquareMeter = Annotated[float, KILOGRAM_PER_SQUARE_METER, _validator(KILOGRAM_PER_SQUARE_METER)]
Volts = Annotated[float, VOLT, _validator(VOLT)]
Amperes = Annotated[float, AMPERE, _validator(AMPERE)]
Pascals = Annotated[float, PASCAL, _validator(PASCAL)]
Kelvins = Annotated[float, KELVIN, _validator(KELVIN)]
Celsius = Annotated[float, CELSIUS, _validator(CELSIUS)]
FlopPerSecond = Annotated[float, FLOP_PER_SECOND, _validator(FLOP_PER_SECOND)]
Tokens = Annotated[float, TOKEN, _validator(TOKEN)]
TokensPerSecond = Annotated[float, TOKEN_PER_SECOND, _validator(TOKEN_PER_SECOND)]
PerSecond = Annotated[float, PER_SECOND, _validator(PER_SECOND)]
KilogramsPerJoule = Annotated[float, KILOGRAM_PER_JOULE, _validator(KILOGRAM_PER_JOULE)]
Fraction = Annotated[float, FRACTION, _validator(FRACTION)]
Share = Annotated[float, FRACTION, _validator(FRACTION), Field(ge=0, le=1)]


class Unlimited(Enum):
    """The word for a limit that does not exist; never a large number."""

    UNLIMITED = "unlimited"


def _or_unlimited(unit: Unit) -> BeforeValidator:
    def read(value: Any, info: ValidationInfo) -> float | Unlimited:
        if value == "unlimited" or isinstance(value, Unlimited):
            return Unlimited.UNLIMITED
        return _read(value, info, unit)

    return BeforeValidator(read)


WattsOrUnlimited = Annotated[float | Unlimited, WATT, _or_unlimited(WATT)]
