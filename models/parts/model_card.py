"""Model cards: the shape of a transformer as published."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from models.parts.part import Part, column
from models.physics.performance.cards import ModelShape


class ModelCard(Part):
    """Widths in elements, ``ffn`` one up-projection, ``seq`` in tokens; parameter counts as printed, where printed."""

    file: ClassVar[str] = "models.csv"
    plural: ClassVar[str] = "models"

    aliases: str = column("aliases", default="", title="other names of the model, separated by semicolons")
    layers: int = column("layers", default=...)
    hidden: int = column("hidden", default=...)
    heads: int = column("heads", default=...)
    kv_heads: int = column("kv_heads", default=...)
    head_dim: int = column("head_dim", default=0)
    ffn: int = column("ffn", default=...)
    gated: bool = column("gated", default=...)
    vocab: int = column("vocab", default=...)
    seq: int = column("seq", default=...)
    experts: int = column("experts", default=0)
    topk: int = column("topk", default=0)
    moe_ffn: int = column("moe_ffn", default=0)
    shared_experts: int = column("shared_experts", default=0)
    shared_ffn: int = column("shared_ffn", default=0, title="width of the shared experts together, where printed so")
    route_domains: int = column(
        "route_domains", default=0, title="most scale-up domains the experts of one token lie in"
    )
    dense_layers: int = column("dense_layers", default=0, title="leading layers without routed experts")
    attention: str = column("attention", default="gqa")
    q_latent: int = column("q_latent", default=0)
    kv_latent: int = column("kv_latent", default=512)
    rope_dim: int = column("rope_dim", default=64)
    linear_layers: int = column(
        "linear_layers", default=0, title="layers whose attention keeps a state of constant size"
    )
    linear_heads: int = column("linear_heads", default=0, title="heads of these layers; 0: as many as attention has")
    linear_key_heads: int = column(
        "linear_key_heads", default=0, title="their query and key heads; 0: as many as heads"
    )
    linear_dim: int = column("linear_dim", default=0, title="width of one of their heads; 0: as wide as attention's")
    window_layers: int = column(
        "window_layers", default=0, title="layers that attend to the last tokens only and keep no more of them"
    )
    window: int = column("window", default=0, title="tokens of that window")
    tied: bool = column("tied", default=False)
    parameters: float | None = column("params_total")
    active_parameters: float | None = column("params_active")

    @model_validator(mode="after")
    def _windows(self) -> ModelCard:
        if bool(self.window) != bool(self.window_layers):
            raise ValueError(
                "window and window_layers come together: tokens of the window, and how many layers have one"
            )
        if self.window_layers + self.linear_layers > self.layers:
            raise ValueError(
                f"{self.window_layers} window_layers and {self.linear_layers} linear_layers of {self.layers} layers"
            )
        return self

    def shape(self) -> ModelShape:
        """The card as the throughput models take it."""
        return ModelShape(
            name=self.id,
            layers=self.layers,
            hidden=self.hidden,
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_dim=self.head_dim,
            ffn=self.ffn,
            gated=self.gated,
            vocab=self.vocab,
            seq=self.seq,
            experts=self.experts,
            topk=self.topk,
            moe_ffn=self.moe_ffn,
            shared_experts=self.shared_experts,
            shared_ffn=self.shared_ffn,
            route_domains=self.route_domains,
            dense_layers=self.dense_layers,
            attention=self.attention,
            q_latent=self.q_latent,
            kv_latent=self.kv_latent,
            rope_dim=self.rope_dim,
            linear_layers=self.linear_layers,
            linear_heads=self.linear_heads,
            linear_key_heads=self.linear_key_heads,
            linear_dim=self.linear_dim,
            window_layers=self.window_layers,
            window=self.window,
            tied=self.tied,
            params_printed=self.parameters,
        )
