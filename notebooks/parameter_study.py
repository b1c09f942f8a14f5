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
# # A parameter study: power cap, electricity price, and the price to win
#
# A hall takes one training cluster. At which price does a vendor's system win it, how many would be bought, and on which sites
# would a given quote win: how much power there is, and what it costs?

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
                    "sizes": {"smallest": 128, "largest": 1024, "step": 32},
                },
            }
        },
        "sites": {
            "hall": {
                "utility": "1.5 MW",
                "electricity": None,
                "electricity_price": "0.07 USD/kWh",
                "grid_carbon": "0.38 kg/kWh",
            }
        },
    },
)
case

# %% [markdown]
# ## Price to win
#
# The cheapest design is concave in the price of a part, so that every price at which the volume changes is found exactly,
# with about two solves each. `interval` holds the highest price at which the system is in the cheapest design.

# %%
from optimizer.sensitivity.price_section import price_sentence
from optimizer.sensitivity.price_to_win import price_to_win

PART = "mi350x_air"
offer = price_to_win(case, PART)
print(price_sentence(offer))
for part in offer.displaces:
    print(f"  displaces {part.units_without - part.units_with} x {part.part} ({part.vendor})")

# %% [markdown]
# ## Its demand staircase
#
# How many would be bought at every price, with the list price beside it.

# %%
from optimizer.plots.staircase import plot_staircase, staircase_points

plot_staircase(staircase_points(offer), PART, offer.list_price)

# %% [markdown]
# ## A staircase with more than one step
#
# A training job is one pod: a system has all of it or nothing. A service is as many pods as its demand asks for, and shares them out:
# the dearer a system, the less of the demand it is the cheapest for.

# %%
service = optimizer.load(
    "tiny/serving",
    overrides={
        "workloads": {
            "chat": {
                "rate": "5 Mtoken/s",
                "pods_at_most": 40,
                "design_space": {"systems": ["dgx_h100", "mi300x_8u", "dgx_b200", "gaudi3_8", "mi350x_air"]},
            }
        }
    },
)
shared = price_to_win(service, PART)
print(price_sentence(shared))
plot_staircase(staircase_points(shared), PART, shared.list_price)

# %% [markdown]
# ## The price to win at other throughputs
#
# A larger cluster presses harder on the power cap, so that the more frugal system is worth more on the whole; sizes come in steps.

# %%
import pandas as pd

from optimizer.sensitivity.part_program import Requirement

rows = []
for level in (5.8e6, 7.0e6, 8.0e6, 9.0e6, 10.0e6, 11.0e6):
    won = price_to_win(case, PART, requirement=Requirement({"throughput": level}))
    rows.append(
        {
            "tokens per second": level,
            "price to win [USD]": won.interval[1],
            "units": max(step.units for step in won.staircase),
            "against list": None if won.interval[1] is None else won.interval[1] / won.list_price - 1,
            "solves": won.solves,
        }
    )
pd.DataFrame(rows).round(3)

# %% [markdown]
# ## Power cap x electricity price, with a quote on the table
#
# Suppose the vendor comes down to just above the price to win. The map says on which sites that quote wins already: where power
# is scarce, and where it is dear.

# %%
from models.parts.part import PriceRange
from optimizer.plots.regimes import axis_titles, plot_regimes, regime_table
from optimizer.sensitivity.regimes import regime_map
from optimizer.sensitivity.repricing import find_part, priced_at, with_part

quote = round(offer.interval[1] / 1e3 + 4) * 1e3
quoted = with_part(case, priced_at(find_part(case, PART), PriceRange(quote, quote)))
KWH = 3.6e6
regimes = regime_map(
    quoted,
    "sites.hall.utility",
    "sites.hall.electricity_price",
    x_range=(450e3, 900e3),
    y_range=(0.02 / KWH, 0.30 / KWH),
    steps=16,
)
print(
    f"quote {quote:,.0f} USD: {len(regimes.architectures)} architectures win somewhere, {regimes.solves} solves, proven: {regimes.proven}"
)
plot_regimes(regime_table(regimes), axis_titles(regimes), f"Who wins at a quote of {quote / 1e3:,.0f} kUSD for {PART}")

# %% [markdown]
# ## What else could move the decision
#
# Every input with a range of its own, one at a time; hatched where another design becomes the best.

# %%
from optimizer.plots.tornado import plot_tornado, tornado_bars
from optimizer.sensitivity.tornado import tornado, tornado_sentence

swings = tornado(case)
print(tornado_sentence(swings))
plot_tornado(tornado_bars(swings))
