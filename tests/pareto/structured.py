"""Programs with the structure of a site: one pod out of many, shared equipment under exclusive options, and their frontiers by enumeration.

sum_p use[p] = 1;  option of each kind: exactly one;  sum_o load[o] = sum_p power[p] use[p];  load[o] <= U option[o]
capacity[e] units[e, o] >= load[o];  units[e, o] <= U option[o]
minimise  cost = sum_p cost[p] use[p] + sum price[e, o] units[e, o] + sum_o tariff[o] load[o];  power = sum_o factor[o] load[o];  maximise throughput
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import ChoiceGroup, CompiledModel, Sense, value_steps


@dataclass(frozen=True)
class Site:
    """Data of one random site; the arrays are integers."""

    power: NDArray[np.float64]
    cost: NDArray[np.float64]
    throughput: NDArray[np.float64]
    extra: NDArray[np.float64]
    factor: NDArray[np.float64]
    tariff: NDArray[np.float64]
    capacity: NDArray[np.float64]
    price: NDArray[np.float64]
    limit: float


def random_site(n_pods: int, seed: int, *, n_options: int = 3, n_equipment: int = 4, n_objectives: int = 3) -> Site:
    """A site whose pods trade cost against throughput and power."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(np.log(200), np.log(30_000), n_pods))
    efficiency = rng.uniform(0.6, 1.0, n_pods)
    power = np.round(size * rng.uniform(0.9, 1.1, n_pods))
    throughput = np.round(40 * size**0.95 * efficiency)
    cost = np.round(30 * size * (0.5 + 0.7 * efficiency**2) * rng.uniform(0.95, 1.05, n_pods) + 500)
    extra = np.round(rng.uniform(1, 100, (max(0, n_objectives - 3), n_pods)) * size / 300)
    factor = np.round(100 * np.sort(rng.uniform(1.05, 1.5, n_options)))
    tariff = np.round(3 * rng.permutation(np.linspace(1, 3, n_options)) + 3)
    capacity = np.round(rng.uniform(400, 3_000, n_equipment))
    price = np.round(capacity[:, None] * rng.uniform(0.5, 2.0, (n_equipment, n_options)))
    return Site(power, cost, throughput, extra, factor, tariff, capacity, price, float(np.quantile(power, 0.95)))


def compiled(site: Site, *, whole_loads: bool = True) -> CompiledModel:
    """The program of ``site``; loads are integer or continuous columns."""
    n, m, e = site.power.size, site.factor.size, site.capacity.size
    option, load, units = n, n + m, n + 2 * m
    width = units + e * m
    rows: list[tuple[dict[int, float], float, float]] = []
    rows.append((dict.fromkeys(range(n), 1.0), 1.0, 1.0))
    rows.append((dict.fromkeys(range(option, option + m), 1.0), 1.0, 1.0))
    balance = {p: float(site.power[p]) for p in range(n)}
    balance.update(dict.fromkeys(range(load, load + m), -1.0))
    rows.append((balance, 0.0, 0.0))
    for o in range(m):
        rows.append(({load + o: 1.0, option + o: -site.limit}, -np.inf, 0.0))
        for i in range(e):
            column = units + i * m + o
            most = float(np.ceil(site.limit / site.capacity[i]))
            rows.append(({column: site.capacity[i], load + o: -1.0}, 0.0, np.inf))
            rows.append(({column: 1.0, option + o: -most}, -np.inf, 0.0))
    entries = [(r, c, v) for r, (row, _, _) in enumerate(rows) for c, v in row.items()]
    r, c, v = zip(*entries, strict=True)
    upper = np.concatenate([np.ones(n + m), np.full(m, site.limit), np.repeat(np.ceil(site.limit / site.capacity), m)])
    integer = np.ones(width, dtype=bool)
    integer[load : load + m] = whole_loads
    objectives = np.zeros((3 + len(site.extra), width))
    objectives[0, :n], objectives[0, load : load + m] = site.cost, site.tariff
    objectives[0, units:] = site.price.ravel()
    objectives[1, :n] = -site.throughput
    objectives[2, load : load + m] = site.factor
    objectives[3:, :n] = site.extra
    names = ("cost", "throughput", "power", *(f"extra{i}" for i in range(len(site.extra))))
    return CompiledModel(
        name="site",
        matrix=sparse.csc_array((np.array(v, dtype=float), (np.array(r), np.array(c))), shape=(len(rows), width)),
        row_lower=np.array([low for _, low, _ in rows]),
        row_upper=np.array([high for _, _, high in rows]),
        lower=np.zeros(width),
        upper=upper,
        integer=integer,
        objectives=objectives,
        offsets=np.zeros(len(objectives)),
        senses=tuple(Sense.MAXIMISE if i == 1 else Sense.MINIMISE for i in range(len(objectives))),
        objective_names=names,
        steps=value_steps(objectives, integer),
        choice_groups=(
            ChoiceGroup("pod", tuple(range(n))),
            ChoiceGroup(
                "option",
                tuple(range(option, option + m)),
                tuple((load + o, *(units + i * m + o for i in range(e))) for o in range(m)),
            ),
        ),
    )


def enumerated(site: Site) -> NDArray[np.float64]:
    """Every legal value vector in minimisation sense that can be nondominated: all pods with all options, cheapest equipment."""
    found = []
    for p, o in itertools.product(range(site.power.size), range(site.factor.size)):
        load = site.power[p]
        if load > site.limit:
            continue
        units = np.ceil(load / site.capacity)
        cost = site.cost[p] + float(units @ site.price[:, o]) + site.tariff[o] * load
        found.append((cost, -site.throughput[p], site.factor[o] * load, *site.extra[:, p]))
    return np.array(found)
