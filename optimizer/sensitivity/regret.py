"""What a design that was chosen elsewhere costs at other values of a field, where it is still legal."""

from __future__ import annotations

import numpy as np

from models.candidates.placement import Placements
from models.formulation.core import Core
from models.formulation.linear import Floats, Linear
from optimizer.design import Design
from optimizer.sensitivity.field_program import FieldProgram
from optimizer.sensitivity.program import Effort, Limit, Program


def regret_at(program: FieldProgram, design: Design, value: float, effort: Effort) -> float | None:
    """The cost of ``design`` at a value of the field, its plant bought as needed there; None where it is not legal or not there."""
    state = program.at((value,))
    if state is None or effort.over:
        return None
    form = state.program.formulation
    core = Core(form.instance, form.candidates)
    wanted = {(p.cluster, p.site): _keys(design, p.cluster, p.site) for p in design.pods}
    limits: list[Limit] = []
    measures: dict[str, Linear] = {}
    for (cluster, site), keys in wanted.items():
        for number, (key, count) in enumerate(keys.items()):
            name = f"keeps.{cluster}.{site}.{number}"
            measures[name] = core.everywhere(lambda p, k=key: _is(p, k), site=site, cluster=cluster)  # type: ignore[misc]
            if not any(v.any() for v in measures[name].terms.values()):
                return None
            limits.append(Limit(name, {name: 1.0}, count, count))
    for cluster, workload in form.instance.workloads.items():
        if not workload.one_pod:
            total = sum(p.count for p in design.pods if p.cluster == cluster)
            measures[f"all.{cluster}"] = core.everywhere(lambda p: np.ones(len(p)), cluster=cluster)
            limits.append(Limit(f"all.{cluster}", {f"all.{cluster}": 1.0}, None, total))
    kept = Program(form, {**state.program.measures, **measures})
    answer = kept.least({"cost": 1.0}, effort, limits)
    return answer.value


def _keys(design: Design, cluster: str, site: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for pod in design.pods:
        if (pod.cluster, pod.site) == (cluster, site):
            options = ",".join(f"{chain}={option}" for chain, option in sorted(pod.options.items()))
            key = f"{pod.pod_id}|{options}"
            found[key] = found.get(key, 0.0) + pod.count
    return found


def _is(placements: Placements, key: str) -> Floats:
    pod_id, _, options = key.rpartition("|")
    combined = [
        ",".join(f"{c}={o}" for c, o in sorted((x.chain.value, x.id) for x in combination.options)) == options
        for combination in placements.combinations
    ]
    rows = np.flatnonzero(np.array(combined, dtype=np.bool_)[placements.combination])
    found = np.zeros(len(placements))
    for row in rows:
        if placements.pods.pod_id(int(placements.pod[row])) == pod_id:
            found[row] = 1.0
    return found
