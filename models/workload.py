"""Workloads: what a cluster has to deliver, and the design space it may be built from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from models.parts.system import SystemKind
from models.policy import Owned, Record, Stated
from models.services import Networks, Spares, StorageNeed
from models.site_options import CoolantLoop, Failing
from models.units import BytesPerSecond, Seconds, Share, Tokens, TokensPerSecond


class RackCooling(StrEnum):
    """How a rack gives off its heat."""

    AIR = "air"
    REAR_DOOR = "rear_door"
    LIQUID = "liquid"


class Dtype(StrEnum):
    """Number format of the matrix multiplications."""

    BF16 = "bf16"
    FP8 = "fp8"
    FP4 = "fp4"


MOST_SIZES = 100_000


class SizeRange(Record):
    """Cluster or pod sizes in accelerators: from, to and step, both ends included."""

    smallest: int = Field(gt=0)
    largest: int = Field(gt=0)
    step: int = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> SizeRange:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is above largest {self.largest}")
        count = (self.largest - self.smallest) // self.step + 1
        if count > MOST_SIZES:
            raise ValueError(f"{count:,} sizes; expected at most {MOST_SIZES:,}: take a larger step")
        return self


class FabricSpace(Record):
    """Which scale-out fabrics may be built; None means every one the catalogue has."""

    switches: tuple[str, ...] | None = Field(default=None, min_length=1)
    media: tuple[str, ...] | None = Field(default=None, min_length=1)
    protocols: tuple[str, ...] | None = Field(default=None, min_length=1)
    speeds: tuple[BytesPerSecond, ...] = Field(min_length=1)
    tiers: tuple[Literal[1, 2, 3], ...] = Field(min_length=1)
    oversubscription: tuple[Annotated[float, Field(ge=1)], ...] = Field(min_length=1)
    rail_optimised: bool = True
    wasted_ports_at_most: float = Field(default=0.02, ge=0, lt=1)


class BarredPod(Owned):
    """A pod, by its id, that may not stand at a site because no layout holds it; ``reason`` is the broken rule."""

    site: str
    pod: str


class CoolantSource(StrEnum):
    """Where the coolant of a rack with cold plates is made: by CDUs of the site's liquid option, or by CDUs in the rack itself."""

    SITE = "site"
    IN_RACK = "in_rack"


class CoolantSpace(Failing):
    """How coolant may reach the cold plates of a rack.

    ``units``: CDUs that may stand in a rack (None: every one with a height), with ``redundancy`` n or n+1 and run as ``loop`` says.
    How often such a CDU fails may be stated as for plant: a row of ``failures``, or ``mtbf`` and ``mttr``.
    ``manifolds``: of these each rack of servers gets the cheapest that carries its heat; None: they come with the systems.
    """

    sources: tuple[CoolantSource, ...] = Field(default=(CoolantSource.SITE,), min_length=1)
    units: tuple[str, ...] | None = None
    redundancy: Literal["n", "n+1"] = "n"
    loop: CoolantLoop | None = None
    manifolds: tuple[str, ...] | None = None


class DesignSpace(Record):
    """What a cluster may be built from; None means every legal part of the catalogue."""

    systems: tuple[str, ...] | None = Field(default=None, min_length=1)
    system_kinds: tuple[SystemKind, ...] | None = Field(default=None, min_length=1)
    vendors: tuple[str, ...] | None = Field(default=None, min_length=1)
    frames: tuple[str, ...] | None = Field(default=None, min_length=1)
    rack_pdus: tuple[str, ...] | None = None
    rear_doors: tuple[str, ...] | None = None
    cooling: tuple[RackCooling, ...] = Field(min_length=1)
    coolant: CoolantSpace = Field(default_factory=CoolantSpace)
    preliminary_parts: bool
    fabric: FabricSpace
    sizes: SizeRange
    without_layout: tuple[BarredPod, ...] = ()


class ThroughputMethod(StrEnum):
    """Where a pod's throughput comes from: one stated derating, or a search over all parallel mappings."""

    FIRST_ORDER = "first_order"
    MAPPING = "mapping"


class ServingRole(StrEnum):
    """What a pod of a serving cluster does: all of it, or only prompts, or only answers."""

    MIXED = "mixed"
    PREFILL = "prefill"
    DECODE = "decode"


class GivenPoint(Record):
    """A measured or modelled throughput of a system at a size and a data rate per accelerator, with its relative band.

    ``share``: of the global batch, what a pod of a training job over several sites has of it; its own tokens per second then.
    """

    system: str
    accelerators: int = Field(gt=0)
    network: BytesPerSecond = Field(gt=0)
    throughput: TokensPerSecond = Field(gt=0)
    band: Share = 0.0
    role: ServingRole = ServingRole.MIXED
    share: Share = Field(default=1.0, gt=0)


class Otherwise(StrEnum):
    """What becomes of a pod that given results do not cover."""

    REFUSE = "refuse"
    FIRST_ORDER = "first_order"
    MAPPING = "mapping"


class GivenThroughput(Record):
    """Results that replace this project's own: a CSV ``table``, or a ``callable`` named ``package.module:function``.

    ``rows`` are the lines of the table, and ``digest`` the hash of the callable's source, both filled in by the loader.
    """

    table: str | None = None
    callable: str | None = None
    otherwise: Otherwise = Otherwise.REFUSE
    rows: tuple[GivenPoint, ...] = ()
    digest: str = ""

    @model_validator(mode="after")
    def _one(self) -> GivenThroughput:
        if (self.table is None) == (self.callable is None):
            raise ValueError("table and callable; expected one of the two")
        return self

    @property
    def name(self) -> str:
        """The table or the callable, as outputs name it."""
        return f"table {self.table}" if self.table is not None else f"callable {self.callable}"


def _which(value: object) -> str:
    """A mapping gives results, anything else names a method."""
    return "given" if isinstance(value, dict | GivenThroughput) else "method"


Throughput = Annotated[
    Annotated[ThroughputMethod, Tag("method")] | Annotated[GivenThroughput, Tag("given")], Discriminator(_which)
]


class Workload(Owned):
    """What every workload says: which model, in which number format, on which sites, built from what."""

    model: str
    dtype: Dtype
    sites: tuple[str, ...] | None = Field(default=None, min_length=1)
    design_space: DesignSpace
    throughput: Throughput = ThroughputMethod.FIRST_ORDER
    injection_at_least: Stated[BytesPerSecond] | None = None
    bisection_at_least: Stated[BytesPerSecond] | None = None
    storage_at_least: Stated[BytesPerSecond] | None = None
    front_end_at_least: Stated[BytesPerSecond] | None = None
    spares: Spares | None = None
    storage: StorageNeed | None = None
    networks: Networks = Field(default_factory=Networks)

    @property
    def given(self) -> GivenThroughput | None:
        """Results that replace this project's own, where the workload has some."""
        return self.throughput if isinstance(self.throughput, GivenThroughput) else None

    @property
    def method(self) -> ThroughputMethod | None:
        """How throughput is worked out here; None where it is only ever given."""
        if isinstance(self.throughput, ThroughputMethod):
            return self.throughput
        return (
            None if self.throughput.otherwise is Otherwise.REFUSE else ThroughputMethod(self.throughput.otherwise.value)
        )


class BatchSplit(Owned):
    """One training job over several sites, a pod at each: the global batch is dealt in ``parts`` equal parts, any number to a pod.

    The pods exchange ``bytes_per_parameter`` after every ``sync_every`` optimizer steps (more than one: local SGD), over the
    instance's ``links``; ``sites_at_most`` bounds how many take part.
    """

    parts: int = Field(gt=1, le=64)
    sites_at_most: int = Field(default=2, gt=1, le=6)
    sync_every: int = Field(default=1, gt=0)
    bytes_per_parameter: float = Field(default=2.0, gt=0)


class Training(Workload):
    """Train ``model`` on ``tokens`` within ``deadline``; the demand is tokens / deadline in tokens of goodput.

    ``global_batch`` [tokens per optimizer step] and ``model_parallel`` (accelerators that share one copy of the
    parameters, needed by ``throughput: first_order`` alone) set the traffic of data parallelism. One pod, whole at one site,
    unless ``split`` allows several.
    """

    kind: Literal["training"]
    tokens: Tokens = Field(gt=0)
    deadline: Seconds = Field(gt=0)
    global_batch: Tokens = Field(gt=0)
    model_parallel: int | None = Field(default=None, gt=0)
    split: BatchSplit | None = None

    @property
    def demand(self) -> float:
        """Tokens per second of goodput that meet the deadline."""
        return self.tokens / self.deadline

    @property
    def one_pod(self) -> bool:
        """True where the cluster is always exactly one pod."""
        return self.split is None

    @property
    def most_pods(self) -> int:
        """Most pods of the cluster, over all sites."""
        return 1 if self.split is None else self.split.sites_at_most

    @property
    def most_at_a_site(self) -> int:
        """Most pods of the cluster at one site."""
        return 1


class Serving(Workload):
    """Serve ``rate`` output tokens per second at given prompt and answer lengths, from any number of pods.

    ``ttft_at_most`` and ``tpot_at_most`` bound the time to the first token and per further token; ``roles`` are those pods may
    have. All three belong to ``throughput: mapping``. ``split``: pods may stand at several sites.
    """

    kind: Literal["serving"]
    rate: TokensPerSecond = Field(gt=0)
    prompt: Tokens = Field(gt=0)
    answer: Tokens = Field(gt=0)
    ttft_at_most: Stated[Seconds] | None = None
    tpot_at_most: Stated[Seconds] | None = None
    roles: tuple[ServingRole, ...] | None = Field(default=None, min_length=1)
    pods_at_most: int = Field(default=64, gt=0)
    split: bool = True

    @property
    def divided(self) -> bool:
        """True where pods may have but one role, so that prompts and answers need a rate each."""
        alone = self.roles is not None and set(self.roles) == {ServingRole.MIXED}
        return self.throughput is not ThroughputMethod.FIRST_ORDER and not alone

    @property
    def demand(self) -> float:
        """Output tokens per second to deliver."""
        return self.rate

    @property
    def one_pod(self) -> bool:
        """True where the cluster is always exactly one pod."""
        return False

    @property
    def most_pods(self) -> int:
        """Most pods of the cluster, over all sites."""
        return self.pods_at_most

    @property
    def most_at_a_site(self) -> int:
        """Most pods of the cluster at one site."""
        return self.pods_at_most


AnyWorkload = Annotated[Training | Serving, Field(discriminator="kind")]
