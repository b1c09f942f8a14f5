"""Throughput of pods: one place, so that a better model replaces them here.

``first_order``: peak x stated derating x communication factor. ``mapping``: the best of all parallel mappings of the model on at
most that many accelerators behind the pod's network, or of all ways to serve it there within the limits on latency; times the
stated production factor. Results given by somebody else come before both, as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.candidates.batch_split import WHOLE, Part
from models.candidates.distinct import distinct
from models.candidates.given_throughput import GivenProfile, given_rates
from models.candidates.mapping_search import Question
from models.candidates.rack_supplies import Supplies
from models.candidates.serving_table import ServingQuestion, ServingTable, serving_tables
from models.candidates.throughput_table import Memo, Profile, ThroughputTable, throughput_tables
from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.model_card import ModelCard
from models.parts.system import System
from models.physics.first_order import communication_factor, serving_rate, training_rate
from models.physics.node_power import idle_power, node_power
from models.physics.performance.cards import AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.inference import BAND, Role
from models.policy import Stated
from models.workload import Serving, ServingRole, ThroughputMethod, Training

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MEMORY_SHARE = 0.9
TRAINING_BYTES_PER_PARAMETER = 16.0
STEPS_PER_OCTAVE = 6
_WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}


@dataclass(frozen=True)
class Delivered:
    """Throughput of some pods: tokens/s without failures (zero: does not fit), relative error band, and the search behind it.

    ``profile`` indexes the performance's ``profiles``; -1 where no mapping was searched. ``computing`` is the share of the time spent
    computing and ``busy`` the share of the accelerators that take part, NaN where no search knows.
    """

    tokens_s: Floats
    band: Floats
    profile: Ints
    computing: Floats
    busy: Floats

    def take(self, rows: Ints) -> Delivered:
        """That of some pods."""
        return Delivered(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True, order=True)
class _Key:
    """What a search depends on besides the workload: role, accelerator, scale-up domain, injection [B/s], taper, share of the batch."""

    role: ServingRole
    part: str
    domain: int
    rate: float
    ratio: float
    share: float


class Performance:
    """Throughput of one cluster's pods. ``prepare`` gathers what will be asked, so that searches share their work."""

    def __init__(self, instance: Instance, cluster: str, memo: Memo | None = None) -> None:
        self._instance = instance
        self._cluster = cluster
        self._memo = memo
        self._workload = instance.workloads[cluster]
        self._tables: Sequence[ThroughputTable | ServingTable] = []
        self._known: dict[_Key, int] = {}
        self._cards: dict[str, AcceleratorCard] = {}
        self._searched = self._workload.method is ThroughputMethod.MAPPING

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """What stands behind the throughput of pods: searched tables, then, by role, what was given."""
        given = self._workload.given
        if given is None:
            return tuple(self._tables)
        serving = isinstance(self._workload, Serving)
        return (*self._tables, *(GivenProfile(given.name, role if serving else None) for role in self.roles))

    @property
    def roles(self) -> tuple[ServingRole, ...]:
        """What pods of the cluster may do."""
        if isinstance(self._workload, Serving) and self._workload.throughput is not ThroughputMethod.FIRST_ORDER:
            return tuple(role for role in ServingRole if self._workload.roles is None or role in self._workload.roles)
        return (ServingRole.MIXED,)

    def prepare(self, asked: Iterable[tuple[System, Floats, Floats]], parts: Iterable[Part] = (WHOLE,)) -> None:
        """Searches the mappings of every (system, injection, narrowest) network that will be asked for, at every share of the batch."""
        if not self._searched:
            return
        wanted: set[_Key] = set()
        shares = sorted({part.share for part in parts})
        for system, injection, narrow in asked:
            pairs, _ = _networks(injection, narrow)
            part, domain = self._part(system)
            wanted.update(_Key(role, part, domain, a, b, s) for a, b in pairs for role in self.roles for s in shares)
        ordered = sorted(wanted)
        self._known = {key: number for number, key in enumerate(ordered)}
        constants = self._instance.catalogue.performance
        if isinstance(self._workload, Serving):
            serving = [self._serving(self._workload, key, constants) for key in ordered]
            self._tables = serving_tables(serving, constants, self._memo)
        else:
            training = [self._training(self._workload, key, constants) for key in ordered]
            self._tables = throughput_tables(training, constants, self._memo)

    def of(
        self,
        system: System,
        accelerators: Ints,
        injection: Floats,
        narrow: Floats,
        role: ServingRole,
        part: Part = WHOLE,
    ) -> Delivered:
        """Throughput of pods of ``accelerators`` of one system in a role, of their ``part`` of the batch where they set the pace.

        ``injection`` and ``narrow`` [B/s] per accelerator: at the NICs, and at the narrowest tier of the fabric.
        """
        if self._workload.given is None:
            found = self._worked_out(system, accelerators, injection, narrow, role, part.share)
            return found if part.pause == 0.0 else replace(found, tokens_s=self._paused(found.tokens_s, part))
        tokens, band = given_rates(self._instance, self._cluster, system.id, role, accelerators, narrow, part.share)
        profile = np.full(len(tokens), len(self._tables) + self.roles.index(role), dtype=np.int64)
        rest = np.flatnonzero(np.isnan(tokens))
        tokens[rest], band[rest], profile[rest] = 0.0, 0.0, -1
        computing, busy = np.full(len(tokens), np.nan), np.full(len(tokens), np.nan)
        if len(rest) and self._workload.method is not None:
            own = self._worked_out(system, accelerators[rest], injection[rest], narrow[rest], role, part.share)
            tokens[rest], band[rest], profile[rest] = own.tokens_s, own.band, own.profile
            computing[rest], busy[rest] = own.computing, own.busy
        if part.pause:
            tokens = self._paused(tokens, part)
        return Delivered(tokens, band, profile, computing, busy)

    def _paused(self, rate: Floats, part: Part) -> Floats:
        """Tokens per second of a part of the batch with the pause for the exchange after it."""
        assert isinstance(self._workload, Training)
        batch = part.share * self._workload.global_batch
        with np.errstate(divide="ignore"):
            return np.asarray(batch / (batch / rate + part.pause), dtype=np.float64)

    def _worked_out(
        self, system: System, accelerators: Ints, injection: Floats, narrow: Floats, role: ServingRole, share: float
    ) -> Delivered:
        if not self._searched:
            able = role is ServingRole.MIXED
            rate = first_order(self._instance, self._cluster, system, accelerators, narrow, share) * float(able)
            unknown = np.full(len(rate), np.nan)
            return Delivered(rate, np.zeros(len(rate)), np.full(len(rate), -1, dtype=np.int64), unknown, unknown)
        part, domain = self._part(system)
        pairs, inverse = _networks(injection, narrow)
        known = [self._known[_Key(role, part, domain, rate, ratio, share)] for rate, ratio in pairs]
        profile = np.asarray(known, dtype=np.int64)[inverse]
        tokens, computing, busy = (np.zeros(len(accelerators)) for _ in range(3))
        for number in known:
            rows = profile == number
            tokens[rows] = self._tables[number].rate(accelerators[rows])
            computing[rows], busy[rows] = self._tables[number].activity(accelerators[rows])
        band = np.full(len(tokens), throughput_band(self._instance, self._cluster, part))
        return Delivered(tokens * production_factor(self._instance), band, profile, computing, busy)

    def refusal(self, role: ServingRole) -> str:
        """Why no size of a system delivers anything."""
        model, given = self._workload.model, self._workload.given
        if given is not None and self._workload.method is None:
            return f"{given.name} covers it as {role.value} at no size and network, and throughput.otherwise is refuse"
        if isinstance(self._workload, Serving) and self._searched:
            kept = [n for n in ("ttft_at_most", "tpot_at_most") if getattr(self._workload, n) is not None]
            limits = f" and keeps {' and '.join(kept)}" if kept else ""
            return f"no replica of {model} as {role.value} fits in memory{limits} at any size"
        return f"{model} fits in memory at no size"

    @cached_property
    def _shape(self) -> ModelShape:
        return self._instance.catalogue.get(ModelCard, self._workload.model).shape()

    def _part(self, system: System) -> tuple[str, int]:
        assert system.accelerator is not None
        accelerator = self._instance.catalogue.get(Accelerator, system.accelerator)
        return accelerator.id, min(accelerator.scaleup_domain or 1, system.accelerators or 1)

    def _hardware(self, key: _Key, constants: PerformanceConstants) -> tuple[AcceleratorCard, Network]:
        if key.part not in self._cards:
            part = self._instance.catalogue.get(Accelerator, key.part)
            self._cards[key.part] = part.card(constants.kernel_class(key.part))
        card = self._cards[key.part]
        return card, Network.of(card, key.rate, domain=key.domain, oversubscription=1.0 / key.ratio)

    def _training(self, workload: Training, key: _Key, constants: PerformanceConstants) -> Question:
        shape = self._shape
        card, network = self._hardware(key, constants)
        return Question(
            model=shape,
            accelerator=card,
            network=network,
            global_batch=max(1, round(workload.global_batch * key.share / shape.seq)),
            dtype=workload.dtype.value,
            smallest=workload.design_space.sizes.smallest,
            largest=workload.design_space.sizes.largest + 1024,
        )

    def _serving(self, workload: Serving, key: _Key, constants: PerformanceConstants) -> ServingQuestion:
        card, network = self._hardware(key, constants)
        ttft, tpot = workload.ttft_at_most, workload.tpot_at_most
        return ServingQuestion(
            model=self._shape,
            accelerator=card,
            network=network,
            dtype=workload.dtype.value,
            role=Role(key.role.value),
            prompt=workload.prompt,
            answer=workload.answer,
            ttft=None if ttft is None else ttft.value,
            tpot=None if tpot is None else tpot.value,
            largest=workload.design_space.sizes.largest + key.domain,
        )


def production_factor(instance: Instance) -> float:
    """Share of benchmark throughput that production reaches: the instance's, or that of the performance constants."""
    stated = instance.assumptions.production_factor
    return stated.value if stated is not None else instance.catalogue.performance.production_factor


def throughput_band(instance: Instance, cluster: str, part: str) -> float:
    """Relative half-width of the band of a searched throughput on an accelerator."""
    band = instance.catalogue.performance.band(part)
    return max(band, BAND) if isinstance(instance.workloads[cluster], Serving) else band


def power_in_use(
    instance: Instance, system: System, computing: Floats, busy: Floats, supplies: Supplies | None = None
) -> Floats:
    """Mean power [W] of one system while its job runs; as printed for training where no search knows what it does.

    ``computing``: share of the time spent computing; ``busy``: share of the accelerators that take part, the others idle;
    ``supplies`` lose by the load they then carry, where they are known.
    """
    assert system.typical_power is not None and system.max_power is not None
    accelerator = instance.catalogue.get(Accelerator, system.accelerator or "")
    if accelerator.tdp is None:
        return np.full(len(computing), system.typical_power)
    board = (system.max_power, system.accelerators or 0, accelerator.tdp)
    steady = system.steady_power or 0.0
    drawn = busy * node_power(*board, computing, steady=steady) + (1.0 - busy) * idle_power(*board, steady=steady)
    if supplies is not None:
        drawn = supplies.drawn(drawn)
    return np.where(np.isnan(drawn), system.typical_power, drawn)


def _networks(injection: Floats, narrow: Floats) -> tuple[list[tuple[float, float]], Ints]:
    """Different pairs of injection and taper, in ascending order, and which of them each row has.

    The taper is rounded to the slower side in sixths of an octave, so that near-equal fabrics share one search; 1, 1/2, 1/4, ...
    stay as they are.
    """
    ratio = np.minimum(np.asarray(narrow) / np.asarray(injection), 1.0)
    steps = np.ceil(-np.log2(ratio) * STEPS_PER_OCTAVE - 1e-6)
    rates, rate = np.unique(np.asarray(injection, dtype=np.float64), return_inverse=True)
    tapers, taper = np.unique(2.0 ** (-steps / STEPS_PER_OCTAVE), return_inverse=True)
    numbers, _, inverse = distinct(rate * len(tapers) + taper)
    pairs = [(float(rates[n // len(tapers)]), float(tapers[n % len(tapers)])) for n in numbers.tolist()]
    return pairs, np.asarray(inverse, dtype=np.int64)


def first_order(
    instance: Instance, cluster: str, system: System, accelerators: Ints, bandwidth: Floats, share: float = 1.0
) -> Floats:
    """Tokens/s without failures from one stated derating; zero where the model does not fit in memory.

    ``bandwidth`` [B/s] per accelerator at the narrowest tier of the fabric; ``share`` of the global batch that is trained on.
    """
    workload = instance.workloads[cluster]
    assert system.accelerator is not None
    accelerator = instance.catalogue.get(Accelerator, system.accelerator)
    shape = instance.catalogue.get(ModelCard, workload.model).shape()
    peak = accelerator.peak(workload.dtype.value)
    assert peak is not None
    assert accelerator.memory is not None
    if isinstance(workload, Training):
        assert workload.model_parallel is not None
        sustained = peak * _stated(instance, "training_derating")
        factor = communication_factor(
            accelerators,
            sustained,
            bandwidth,
            workload.global_batch * share,
            workload.model_parallel,
            _stated(instance, "exposed_communication"),
        )
        rate = training_rate(accelerators, sustained, shape.params(), factor)
        fits = shape.params() * TRAINING_BYTES_PER_PARAMETER <= MEMORY_SHARE * accelerator.memory * accelerators
        return np.where(fits, rate, 0.0)
    assert isinstance(workload, Serving)
    domain = min(accelerator.scaleup_domain or 1, system.accelerators or 1)
    weights = shape.params() * _WEIGHT_BYTES[workload.dtype.value]
    if weights > MEMORY_SHARE * accelerator.memory * domain:
        return np.zeros(len(accelerators))
    sustained = peak * _stated(instance, "serving_derating")
    return serving_rate(accelerators, sustained, shape.active_params(), workload.prompt, workload.answer)


def _stated(instance: Instance, name: str) -> float:
    stated: Stated[float] | None = getattr(instance.assumptions, name)
    if stated is None:
        where = instance.origin(f"assumptions.{name}")
        problem = Problem(
            "missing-key", where, f"assumptions.{name} is missing", "needed by a workload of this instance"
        )
        raise InstanceError([problem])
    return stated.value
