"""The training model once more for one mapping, in plain numbers: written from the formulas, sharing no code with the arrays."""

from __future__ import annotations

import math

from models.physics.performance.mapping import MappingChoice
from models.physics.performance.setting import Setting


class Twin:
    """Step time by term, and the least memory, of one mapping."""

    def __init__(self, s: Setting, m: MappingChoice) -> None:
        self.s, self.m, self.model, self.card = s, m, s.model, s.accelerator
        self.k, self.free = s.accelerator.kernels, s.constants.free
        self.narrow = s.dtype in ("fp8", "fp4")
        self.saved = 1.0 if self.narrow else 2.0
        if self.narrow:
            copies = 2.0 if 0 < self.card.available < 2024.9 else 1.0
            self.state, self.sent = (copies, 2.0, 12.0), (1.0, 2.0)
        elif s.dtype == "fp16":
            self.state, self.sent = (2.0, 2.0, 14.0), (2.0, 2.0)
        else:
            self.state, self.sent = (2.0, 4.0, 12.0), (2.0, 4.0)
        if s.run.gradient_bytes is not None:
            self.state = (self.state[0], s.run.gradient_bytes, self.state[2])
            self.sent = (self.sent[0], s.run.gradient_bytes)
        self.tokens = m.mbs * self.model.seq / m.cp
        self.rounds = s.global_batch / (m.mbs * m.dp)
        self.memory_rate = self.card.hbm_rate * self.k.hbm_efficiency
        self.moe = self.model.moe_layers / self.model.layers

    # -- groups -------------------------------------------------------------------------------------------------------
    def ring(self, g: int, stride: float, efficiency: float) -> tuple[float, float, float, float]:
        """(bandwidth, alpha, seconds per byte of an even exchange, ranks per domain)."""
        tiers = self.s.network.tiers
        inside = min(max(math.floor(tiers[0].size / stride), 1), g)
        bandwidth, scatter, hops = math.inf, 0.0, 0.0
        if inside > 1:
            rate = tiers[0].rate * self.k.link_efficiency * (1 - self.k.link_small_group / inside)
            wiring, reach, turns = tiers[0].wiring, 1.0, 0.0
            if wiring.mesh:
                reach = (inside - 1) / (tiers[0].size - 1)
            elif wiring.axes:
                used = next(
                    k for k in range(1, wiring.axes + 1) if tiers[0].size ** (k / wiring.axes) >= inside * 0.999999
                )
                reach, turns = used / wiring.axes, inside ** (1 / used) * wiring.axes / 4
            bandwidth, scatter, hops = (
                rate * reach,
                max((g - 1) / g / reach, turns) / rate,
                (inside - 1 if inside <= 8 else 7 * (1 + math.log2(inside / 8))) * tiers[0].hop_s,
            )
        below = tiers[0].size
        for tier in tiers[1:]:
            ranks = min(max(math.floor(below / stride), 1), g)
            if ranks < g:
                rate = tier.rate / tier.oversubscription * efficiency
                bandwidth = min(bandwidth, ranks * rate)
                scatter = max(scatter, (g - ranks) / g / rate)
                hops += tier.hop_s * math.log2(g / ranks)
            below = tier.size
        return bandwidth, self.k.link_start_s + hops, scatter, inside

    def gather(self, g: int, stride: float, size: float) -> float:
        if g == 1:
            return 0.0
        bandwidth, alpha, _, _ = self.ring(g, stride, self.free.network)
        return alpha + (g - 1) / g * size / bandwidth

    def all_reduce(self, g: int, stride: float, size: float) -> float:
        if g == 1:
            return 0.0
        bandwidth, alpha, _, inside = self.ring(g, stride, self.free.network)
        start = 2 * alpha - self.k.link_start_s
        time = start + 2 * (g - 1) / g * size / bandwidth
        if self.k.switch_reduction and g >= 4 and g <= inside:
            time = min(time, start + (g + 1) / g * size / (self.card.scaleup_rate * self.k.switch_reduction))
        return time

    # -- one layer ----------------------------------------------------------------------------------------------------
    def product(self, rows: float, k: float, n: float, copies: float = 1.0) -> tuple[float, float, float]:
        """(seconds, cast seconds forward, cast seconds backward) of ``copies`` products that share ``rows`` rows."""
        curve = self.card.curve(self.s.dtype)
        rate = self.card.peak[self.s.dtype] * curve.e_max * self.free.gemm
        flops = 2 * rows * k * n
        edge = 2 * curve.k0 * (copies * k * n + rows * (k + n))
        moved = rows * (self.saved * k + 2 * n)
        time = (flops + edge) / rate + self.free.operand * moved / self.memory_rate
        cast = curve.cast_bytes * rows / self.memory_rate
        return time, cast * k, cast * n

    def attention_sides(self) -> list[tuple[float, float]]:
        model, t, h = self.model, self.m.tp, self.model.hidden
        inner = model.heads * model.dim / t
        if model.attention == "mla":
            query = model.heads * (model.dim + model.rope_dim) / t
            sides = [(h, model.q_latent), (model.q_latent, query)] if model.q_latent else [(h, query)]
            return [*sides, (h, model.kv_latent + model.rope_dim), (model.kv_latent, 2 * inner), (inner, h)]
        keys = 2 * max(model.kv_heads / t, 1) * model.dim
        return [(h, inner + keys), (inner, h)]

    def feed_forward_sides(self, width: float, t: float) -> list[tuple[float, float]]:
        return [(self.model.hidden, self.model.up * width / t), (width / t, self.model.hidden)]

    def layer(self) -> dict[str, float]:
        s, m, model, free = self.s, self.m, self.model, self.free
        h, t = model.hidden, m.tp
        blocks = [(1.0, self.attention_sides(), self.tokens, 1.0)]
        blocks.append((1 - self.moe, self.feed_forward_sides(model.ffn, t), self.tokens, 1.0))
        gemm = casts = casts_back = 0.0
        for share, sides, rows, copies in blocks:
            for k, n in sides:
                time, before, after = self.product(rows, k, n, copies)
                gemm, casts, casts_back = gemm + share * time, casts + share * before, casts_back + share * after
        last = (1 - self.moe) * self.product(self.tokens, model.ffn / t, h)[0] if self.moe < 1 else 0.0
        kv = model.kv_width() if model.attention == "mla" else 2 * max(model.kv_heads / t, 1) * model.dim
        split = 2 * (model.heads * model.dim / t + kv) + (1 - self.moe) * (model.up + 1) * model.ffn / t
        if self.moe:
            rows = self.tokens * model.topk * s.expert_imbalance / (t / m.etp)
            local = model.experts / m.ep
            parts = [self.product(rows, k, n, local) for k, n in self.feed_forward_sides(model.moe_ffn, m.etp)]
            time = sum(part[0] for part in parts)
            held = local * (model.up + 1) * h * model.moe_ffn / m.etp
            time = max(time, held * 2 / self.memory_rate)
            shared = model.shared_ffn or model.shared_experts * model.moe_ffn
            extra = [self.product(self.tokens, k, n) for k, n in self.feed_forward_sides(shared, t)] if shared else []
            gemm += self.moe * (time + sum(part[0] for part in extra))
            casts += self.moe * sum(part[1] for part in parts + extra)
            casts_back += self.moe * sum(part[2] for part in parts + extra)
            split += self.moe * rows / self.tokens * (7 * h + (model.up + 1) * model.moe_ffn / m.etp)
            split += self.moe * (model.up + 1) * shared / t
        norm = 10 * h / (t if m.sp else 1)
        traffic = free.traffic * 2 * self.tokens * (norm + split) / self.memory_rate
        forward, backward, scores = self.core()
        full, partial = float(m.recompute == 2), float(m.recompute == 1)
        repeated = m.blocks if s.run.full_layers is None else s.run.full_layers
        if repeated or s.run.full_layers is not None:
            full *= min(repeated * m.pp * m.vp / model.layers, 1)
        again = 1 + full
        gemm_again = 1 + full * (1 - last / gemm if m.shard == 3 else 1)
        dense, experts, _ = self.parameters()
        per_layer = (dense + experts) / (model.layers / m.pp)
        accumulate = free.operand * 2 * self.state[1] * per_layer / self.memory_rate
        accumulate *= 1.0 if s.global_batch > m.mbs * m.dp else 0.5
        hbm = again * (traffic + casts) + 2 * traffic + casts_back + accumulate + (2 + again + partial) * scores
        tensor, tensor_back = self.tensor(gemm)
        parts, moved = self.parts_again()
        hbm += (1 - full) * moved
        passes = 1 + again + (1 - full if "moe" in s.run.recomputed else 0)
        terms = {
            "gemm": (2 + gemm_again) * gemm + (1 - full) * parts,
            "attention": (again + partial) * forward + backward,
            "hbm": hbm,
            "tensor_comm": again * tensor + tensor_back,
            "expert_comm": passes * self.exchange((gemm + forward + traffic) * (2 + again) / (1 + again))
            if self.moe
            else 0.0,
        }
        work = sum(terms.values())
        kernels = 10 + (3 if model.attention == "mla" else 0) + 5 * self.moe
        starts = kernels * self.card.curve("bf16").launch_s
        starts += 2 * self.moe * (model.experts / m.ep if self.moe else 0) * self.card.curve(s.dtype).launch_s
        starts *= 2 + again
        floor = (2 + again) * free.launch_s * kernels / 10
        terms["launch"] = max(floor * s.software.launch_share - work, starts)
        if s.run.expert_waits and self.moe:
            terms["launch"] = starts + floor * self.moe
        terms["context_comm"] = self.context(forward, backward)
        return terms

    def parts_again(self) -> tuple[float, float]:
        """(product seconds, memory seconds) of the parts recomputed one by one."""
        s, m, model, parts = self.s, self.m, self.model, self.s.run.recomputed
        gemm = cast = elements = 0.0
        blocks: list[tuple[float, list[tuple[float, float]], float, float]] = []
        shared = model.shared_ffn or model.shared_experts * model.moe_ffn
        rows = self.tokens * model.topk * s.expert_imbalance / (m.tp / m.etp)
        if "layernorm" in parts:
            elements += 4 * model.hidden / (m.tp if m.sp else 1)
        if "mla_up_proj" in parts and model.attention == "mla":
            sides = [(model.kv_latent, 2 * model.heads * model.dim / m.tp)]
            if model.q_latent:
                sides.append((model.q_latent, model.heads * (model.dim + model.rope_dim) / m.tp))
            blocks.append((1.0, sides, self.tokens, 1.0))
            elements += 2 * sum(n for _, n in sides)
        if "moe" in parts and self.moe:
            local = model.experts / m.ep
            blocks.append((self.moe, self.feed_forward_sides(model.moe_ffn, m.etp), rows, local))
            elements += self.moe * rows / self.tokens * (7 * model.hidden + (model.up + 1) * model.moe_ffn / m.etp)
        elif "moe_act" in parts:
            elements += self.moe * rows / self.tokens * (model.up + 1) * model.moe_ffn / m.etp
        for name, share, width in (("shared", self.moe, shared), ("mlp", 1 - self.moe, model.ffn)):
            chosen = name in parts or (name == "shared" and {"shared_experts", "moe"} & parts)
            if chosen and share and width:
                blocks.append((share, self.feed_forward_sides(width, m.tp), self.tokens, 1.0))
                elements += share * (model.up + 1) * width / m.tp
        if "mlp_up" in parts and "mlp" not in parts:
            blocks.append((1 - self.moe, self.feed_forward_sides(model.ffn, m.tp)[:1], self.tokens, 1.0))
        for share, sides, count, copies in blocks:
            found = [self.product(count, k, n, copies) for k, n in sides]
            time = sum(one[0] for one in found)
            if copies > 1:
                time = max(time, copies * (model.up + 1) * model.hidden * model.moe_ffn / m.etp * 2 / self.memory_rate)
            gemm, cast = gemm + share * time, cast + share * sum(one[1] for one in found)
        return gemm, cast + self.free.traffic * 2 * self.tokens * elements / self.memory_rate

    def core(self) -> tuple[float, float, float]:
        s, m, model = self.s, self.m, self.model
        pair = 4 * model.heads * model.dim / m.tp
        if model.attention == "mla":
            pair = 2 * model.heads * (2 * model.dim + model.rope_dim) / m.tp
        operations = pair * self.tokens * model.seq * model.attention_layers / model.layers
        peak = self.card.peak["bf16"]
        if s.software.fused_attention:
            rate = getattr(self.k.attention, s.software.attention)
            near, far = model.window_layers, model.attention_layers - model.window_layers
            keys = far * model.seq / 2 + near * sum(min(i + 0.5, model.window) for i in range(model.seq)) / model.seq
            forward = pair * self.tokens * keys / model.layers / (peak * rate * self.free.attention)
            return forward, 2.5 * forward, 0.0
        curve = self.card.curve("bf16")
        forward = operations / (peak * curve.e_max * self.free.gemm)
        forward *= 1 + curve.k0 * (2 / model.seq + 1 / model.dim)
        scores = 10 * m.mbs * model.heads / m.tp * model.seq**2 / m.cp / self.memory_rate
        return forward, 2 * forward, scores

    def tensor(self, gemm: float) -> tuple[float, float]:
        size = 2 * self.tokens * self.model.hidden
        if not self.m.sp:
            reduce = 2 * self.all_reduce(self.m.tp, 1, size)
            return reduce, max(reduce - gemm, 0)
        halves = 4 * self.gather(self.m.tp, 1, size)
        if not self.s.software.overlap:
            return halves, max(halves - gemm, 0)
        shown = max(self.free.overlap_exposed * halves, halves - gemm)
        return shown, shown

    def context(self, forward: float, backward: float) -> float:
        m, model = self.m, self.model
        if m.cp == 1:
            return 0.0
        kv = model.kv_width() if model.attention == "mla" else 2 * max(model.kv_heads / m.tp, 1) * model.dim
        bandwidth, alpha, _, _ = self.ring(m.cp, m.tp, self.free.network)
        outer = [t.rate / t.oversubscription * self.free.network for t in self.s.network.tiers[1:]]
        below = [t.size for t in self.s.network.tiers[:-1]]
        for rate, size in zip(outer, below, strict=True):
            bandwidth = min(bandwidth, rate) if min(max(size // m.tp, 1), m.cp) < m.cp else bandwidth
        once = (m.cp - 1) * 2 * self.tokens * kv / bandwidth
        return max(once - forward, 0) + max(2 * once - backward, 0) + 2 * (m.cp - 1) * alpha

    def exchange(self, compute: float) -> float:
        s, m, model = self.s, self.m, self.model
        if m.ep == 1:
            return 0.0
        _, alpha, scatter, inside = self.ring(m.ep, m.tp if m.etp > 1 else 1, 0.85)
        domains = max(m.ep / inside, 1)
        sent = min(domains * (1 - (1 - 1 / domains) ** model.topk) / model.topk, 1) if domains > 1 else 1.0
        rows = self.tokens / (m.tp if m.sp else 1) * model.topk * s.expert_imbalance
        there = s.run.dispatch_bytes or (self.saved if s.expert_overlap else 2)
        sent = 1.0 if s.run.each_copy else sent
        total = 2 * alpha + rows * model.hidden * (there + 2) * sent * scatter
        if s.expert_overlap:
            total -= min(total, compute) * (1 - self.free.overlap_exposed)
        return total * self.moe

    # -- the step -----------------------------------------------------------------------------------------------------
    def parameters(self) -> tuple[float, float, float]:
        m, model = self.m, self.model
        shared = model.layers * model.attention_weights() + (model.layers - model.moe_layers) * model.dense_weights()
        shared += model.moe_layers * model.shared_weights()
        dense = shared / (m.pp * m.tp) + model.moe_layers * model.hidden * model.experts / m.pp
        experts = model.moe_layers * model.experts * model.expert_weights() / (m.pp * m.ep * m.etp)
        table = model.vocab * model.hidden / m.tp * (1 if m.pp > 1 or model.tied else 2)
        return dense, experts, table

    def terms(self) -> dict[str, float]:
        s, m, model = self.s, self.m, self.model
        layer = self.layer()
        once = sum(layer.values())
        curve = self.card.curve("bf16")
        width = model.vocab / m.tp
        rate = self.card.peak["bf16"] * curve.e_max * self.free.gemm
        products = self.tokens * model.hidden * width
        products += curve.k0 * (model.hidden * width + self.tokens * (model.hidden + width))
        output = 6 * products / rate + 20 * self.tokens * width / self.memory_rate
        added = self.free.operand * 2 * self.state[1] * model.hidden * width / self.memory_rate
        output += added * (1.0 if s.global_batch > m.mbs * m.dp else 0.5)
        output *= 1 + s.run.predictions
        count, chunks = model.layers, m.pp * m.vp
        even = count % chunks == 0
        if m.pp == 1:
            first, last = count, count
        elif even:
            first = last = count / m.pp
        else:
            first = math.ceil((count + (2 if (count + 2) % chunks == 0 else 0)) / m.pp)
            last = first - 1
        more = s.run.predictions
        if more:
            last = (last if even or m.pp == 1 else max(count - first * (m.pp - 1), 0)) + more
        on_last = last * once + output >= first * once
        stage = max(last * once + output, first * once)
        carried = last if on_last else first
        terms = {name: self.rounds * carried * value for name, value in layer.items()}
        terms["gemm"] += self.rounds * output if on_last else 0.0
        sends = 0.0
        if m.pp > 1:
            bandwidth, alpha, _, _ = self.ring(2, m.tp * m.cp * m.dp, 0.85)
            send = alpha + 2 * self.tokens * model.hidden / m.tp / bandwidth
            if s.software.overlap and m.vp > 1:
                send = max(send - once * count / chunks / 3, 0)
            sends = 2 * m.vp * send
        terms["pipeline_comm"] = sends * (self.rounds + (m.pp - 1) / m.vp)
        terms["bubble"] = s.bubble_factor * (m.pp - 1) / m.vp * ((count + more) * once + output) / m.pp
        terms["data_comm"] = self.data(stage)
        dense, experts, table = self.parameters()
        spread = m.shard >= 1
        copies = m.tp * m.cp * m.dp / (m.ep * m.etp)
        local = (dense + table) / (m.dp * m.cp if spread else 1) + experts / (copies if spread else 1)
        terms["optimizer"] = 48 * local / self.memory_rate
        return terms

    def data(self, stage: float) -> float:
        m = self.m
        dense, experts, table = self.parameters()
        copies = round(m.tp * m.cp * m.dp / (m.ep * m.etp))
        apart = m.tp * m.ep / max(m.tp / m.etp, 1)
        groups = [(m.dp * m.cp, m.tp, dense + table)] + ([(copies, apart, experts)] if experts else [])
        if m.shard == 3:
            count, part, between = self.model.layers / m.pp, self.s.run.shard_group, 0.0
            if part:
                spread = [min(max(g / (m.dp * m.cp) * part, 1), g) for g, _, _ in groups]
                sizes = [self.sent[1] * p / n for n, (_, _, p) in zip(spread, groups, strict=True)]
                for n, size, (g, stride, _) in zip(spread, sizes, groups, strict=True):
                    between += 2 * self.gather(g / n, stride * n, size)
                groups = [(n, stride, p) for n, (_, stride, p) in zip(spread, groups, strict=True)]
            each = 3 * count * sum(self.gather(g, stride, 2 * p / count) for g, stride, p in groups)
            shown = max(each - stage, 0) + self.free.sharded_exposed * min(each, stage)
            if self.s.software.overlap:
                between -= min((1 - self.free.overlap_exposed) * between, stage)
            return self.rounds * shown + between
        once = sum(self.gather(g, st, self.sent[1] * p) + self.gather(g, st, self.sent[0] * p) for g, st, p in groups)
        if self.s.software.overlap:
            once -= min((1 - self.free.overlap_exposed) * once, stage)
        return once
