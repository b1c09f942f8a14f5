"""Proofs that a pod has no layout: a switch whose nodes stand in more racks than there are positions within its reach."""

from __future__ import annotations

from optimizer.layout.contents import UnplaceableError
from optimizer.layout.hall import Hall, slot_distances
from optimizer.layout.pods import Built, reaches_outside


def prove_reachable(hall: Hall, built: Built) -> None:
    """UnplaceableError where the nodes of a leaf cannot all be within the longest run of their level, wherever the leaf stands.

    The shortest rise there is, from the top of a rack to the tray, is taken off the run at both ends; what is left is the way on the
    floor. The leaf's own rack may be one of the nodes' racks.
    """
    content, flows = built.content, built.flows
    rule = content.rules.get("node_leaf")
    if rule is None:
        return
    joined: dict[str, set[int]] = {}
    for wire in content.wires:
        if wire.level == "node_leaf":
            joined.setdefault(wire.upper, set()).add(flows.home[wire.lower])
    top = max(rack.units * (rack.frame.unit_pitch or 0.0) for rack in content.racks)
    room = {n: rack.units - rack.used for n, rack in enumerate(content.racks)}
    for switch, racks in joined.items():
        if flows.home[switch] not in racks and not reaches_outside(hall, content):
            rack = content.racks[min(racks)]
            raise UnplaceableError(
                f"{rack.id} has {room[min(racks)]} units left for {switch}, and {rule.medium} of at most {rule.longest:g} m "
                "reaches no other rack"
            )
    left = rule.longest - 2 * (hall.tray - top)
    # a wide rack whose middle is within reach has positions up to half its width further away
    slack = (max(flows.slots) - 1) * hall.pitch
    distance = slot_distances(hall)
    within = int((distance <= left + slack + 1e-9).sum(axis=1).max()) if left >= 0 and len(distance) else 0
    for switch, racks in sorted(joined.items(), key=lambda pair: -len(pair[1])):
        others = len(racks) - 1
        if others and sum(sorted(flows.slots[n] for n in racks)[:others]) > within:
            raise UnplaceableError(
                f"{switch} serves nodes in {len(racks)} racks over {rule.medium} of at most {rule.longest:g} m: "
                f"only {within} positions are that near"
            )
