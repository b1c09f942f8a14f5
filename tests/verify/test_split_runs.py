"""A run whose job is split over two sites is tampered with where only the split shows, and recomputation says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import optimizer.verify as verify

Data = dict[str, Any]
RUN = "split-training"


def _pods(data: Data) -> list[Data]:
    return [pod for pod in data["pods"] if pod["batch"]["exchange_s"] > 0]


def _swap_parts(data: Data) -> None:
    one, other = _pods(data)
    one["batch"]["parts"], other["batch"]["parts"] = other["batch"]["parts"], one["batch"]["parts"]


def _one_part_more(data: Data) -> None:
    _pods(data)[0]["batch"]["parts"] += 1


def _finer_parts(data: Data) -> None:
    for pod in _pods(data):
        pod["batch"]["parts"], pod["batch"]["of"] = 2 * pod["batch"]["parts"], 2 * pod["batch"]["of"]


def _faster_exchange(data: Data) -> None:
    data["exchanges"][0]["exchange_s"] /= 2
    for pod in _pods(data):
        pod["batch"]["exchange_s"] /= 2


def _other_link(data: Data) -> None:
    (ring,) = data["exchanges"]
    ring["links"] = ["waves" if ring["links"] == ["fibre"] else "fibre"]


def _cheaper_link(data: Data) -> None:
    data["exchanges"][0]["usd_per_s"] = 0.0


def _no_ring(data: Data) -> None:
    data["exchanges"] = []


def _unknown_link(data: Data) -> None:
    data["exchanges"][0]["links"] = ["fiber"]


def _one_site(data: Data) -> None:
    one, other = _pods(data)
    other["site"] = one["site"]


def _more_tokens(data: Data) -> None:
    data["objectives"]["throughput_tokens_per_s"] += 5


def _free_link(data: Data) -> None:
    data["spend"] = [line for line in data["spend"] if line["item"] != "link"]


CASES: dict[str, tuple[Callable[[Data], None], str]] = {
    "parts swapped": (_swap_parts, "throughput_tokens_s"),
    "more parts than the batch has": (_one_part_more, "split.train.parts"),
    "another number of parts": (_finer_parts, "split.train.of"),
    "an exchange faster than its link": (_faster_exchange, "split.train.exchange_s"),
    "another link": (_other_link, "split.train.exchange_s"),
    "a link for nothing": (_cheaper_link, "split.train.usd_per_s"),
    "no ring": (_no_ring, "split.train.exchanges"),
    "a link nobody offers": (_unknown_link, "split.train.links"),
    "two pods at one site": (_one_site, "split.train.sites"),
    "more tokens than the slowest pod lets through": (_more_tokens, "objectives.throughput_tokens_per_s"),
    "a ledger without the link": (_free_link, "spend"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_untrue_of_a_split_is_found(case: str, tampered: Callable[[str], Any]) -> None:
    mutate, field = CASES[case]
    copy = tampered(RUN)
    copy.change(mutate)
    report = verify.verify_run(copy.path)
    assert any(field in finding.field for finding in report.findings), [f.field for f in report.findings]


def test_the_run_itself_agrees_and_says_how_the_batch_is_dealt(tampered: Callable[[str], Any]) -> None:
    copy = tampered(RUN)
    assert not verify.verify_run(copy.path).findings
    for data in copy.designs:
        assert sum(pod["batch"]["parts"] for pod in data["pods"]) == 4
        assert data["exchanges"][0]["links"][0] in ("fibre", "waves")
        assert "/4 hall" in data["choices"]["train.batch"]
        assert data["objectives"]["throughput_tokens_per_s"] <= data["figures"]["throughput_tokens_per_s"]
