# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first frontier
#
# Load a case, compute its certified Pareto frontier, look at it, and ask why it is what it is.
# The case is small, so every cell answers in seconds; `training-30mw` takes the same calls.

# %%
import plotly.io

import optimizer

plotly.io.renderers.default = "notebook_connected"

case = optimizer.load(
    "tiny/performance",
    overrides={
        "name": "hall",
        "workloads": {
            "train": {
                "deadline": "12 days",
                "design_space": {
                    "systems": ["dgx_h100", "mi300x_8u", "dgx_b200", "mi350x_air", "gaudi3_8"],
                    "sizes": {"smallest": 128, "largest": 1024, "step": 64},
                },
            }
        },
    },
)
case

# %% [markdown]
# ## Solve
#
# Three objectives at a resolution of 1 % of their ranges. The proof says what that means for this list.

# %%
frontier = optimizer.solve(case, objectives=["tco", "throughput", "power"], resolution=0.01)
print(frontier.proof.sentence())
frontier.designs[
    [
        "design_id",
        "tco_usd",
        "throughput_tokens_per_s",
        "power_kw",
        "train.system",
        "train.accelerators",
        "train.fabric",
    ]
].head(8)

# %% [markdown]
# ## Look
#
# Every mark is a design that no other beats in all three objectives. Drawing takes a table and nothing else, so the table can
# be changed before it is drawn, or drawn with something else.

# %%
from optimizer.plots.frontier import frontier_points, plot_frontier

points = frontier_points(frontier)
plot_frontier(points, x="throughput", y="tco", title="What a token per second costs")

# %% [markdown]
# ## One design
#
# The cheapest, with its bill of materials: every line keeps its price range, its confidence and its source.

# %%
import pandas as pd

cheapest = frontier.points[0]
bill = pd.DataFrame(
    [{"part": b.part, "quantity": b.quantity, "cost_usd": b.cost_usd, "confidence": b.confidence} for b in cheapest.bom]
)
bill.sort_values("cost_usd", ascending=False).reset_index(drop=True)

# %% [markdown]
# ## Explain: what limits it, and what it leans on

# %%
from optimizer.explain.binding import explain_binding

why = explain_binding(case, cheapest)
print("binds:", [limit.says for limit in why.binding] or "nothing exactly, sizes come in steps")
why.to_frame()[["family", "row", "value", "limit", "unit", "slack_share"]].head(5)

# %%
print({what: f"{share:.0%}" for what, share in why.resting().items()}, "rests on estimates or unverified inputs")
why.leanings_frame()[["part", "confidence", "cost_share", "power_share", "throughput_share", "unverified"]].head(
    5
).round(3)

# %% [markdown]
# ## Explain: why there is nothing
#
# Ask for less power than any design draws. The conflict is irreducible: without any one of its members the others have a
# design. Each repair is solved again with everything else in force.

# %%
from optimizer.explain.infeasible import explain_infeasible

tight = optimizer.load("broken/demand-beyond-utility")
trouble = explain_infeasible(tight)
trouble.to_frame()[["kind", "name", "asks", "best_reachable", "unit", "owner"]]

# %%
trouble.repairs_frame()[["change", "before", "tco_usd", "certified"]]
