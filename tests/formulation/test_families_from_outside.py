"""A constraint family of another distribution: found by its entry point, ordered by what it reads, explained and verified."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import UsageError
from models.formulation.build import build
from models.formulation.family import families
from models.loading import load
from optimizer.solve import solve
from optimizer.verify import verify_run

CODE = '''
    """Quiet: no more than so many switches, which make the noise."""
    from models.formulation.counts import units
    from models.formulation.family import family

    MOST = 12


    @family(reads=("bought", "noise"), adds=())
    def quiet(m, inst):
        m.at_most("switches", ("hall",), m.read("noise"), MOST, "switches", "sites.hall")


    @quiet.says
    def _(row):
        return f"the hall is as loud as {row.value:.0f} switches may be"


    @quiet.verifies
    def _(inst, design):
        count = sum(line.quantity for line in design.bom if line.part == "qm9700")
        return [] if count <= MOST else [f"{count} switches"]


    @family(reads=("use",), adds=("noise",))
    def loudness(m, inst):
        m.express("noise", units(m, "qm9700"))
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution ``quiet-halls`` on the path, with two families."""
    (tmp_path / "quiet_halls.py").write_text(textwrap.dedent(CODE), encoding="utf-8")
    info = tmp_path / "quiet_halls-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quiet-halls\nVersion: 1.0\n", encoding="utf-8")
    points = "[refarch.families]\nquiet = quiet_halls:quiet\nloudness = quiet_halls:loudness\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    families.cache_clear()
    yield info
    families.cache_clear()
    sys.modules.pop("quiet_halls", None)


def test_it_is_ordered_by_what_it_reads_and_knows_where_it_comes_from(installed: Path) -> None:
    names = [one.name for one in families()]
    assert names.index("sourcing") < names.index("quiet")
    assert names.index("loudness") < names.index("quiet")
    assert {one.name: one.origin for one in families() if one.origin} == dict.fromkeys(
        ("quiet", "loudness"), "quiet-halls"
    )


def test_its_rows_bind_and_are_explained_and_verified(installed: Path, tmp_path: Path) -> None:
    change = {"workloads": {"train": {"design_space": {"fabric": {"switches": ["qm9700"]}}}}}
    instance = load("tiny/performance", overrides=change)
    front = solve(instance, ["tco", "throughput"], "exact", out=tmp_path / "run")
    switches = [sum(line.quantity for line in d.bom if line.part == "qm9700") for d in front.points]
    assert max(switches) <= 12
    margins = [m for d in front.points for m in d.margins if m.family == "quiet"]
    assert {m.says for m in margins if m.binding} == {"the hall is as loud as 12 switches may be"}
    verify_run(tmp_path / "run").require()
    sys.modules["quiet_halls"].MOST = 11  # type: ignore[attr-defined]
    findings = verify_run(tmp_path / "run").findings
    assert {f.field for f in findings} == {"limit quiet"}


def test_without_the_distribution_nothing_remains(tmp_path: Path) -> None:
    families.cache_clear()
    assert not any(one.origin for one in families())
    assert not build(load("tiny/performance"), ["tco"]).rows_of("quiet")


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ("odd = quiet_halls:MOST", "not a constraint family"),
        ("gone = quiet_halls:missing", "cannot be loaded"),
        ("power = quiet_power:power", "name of a family of this package"),
    ],
)
def test_what_is_no_family_is_named(installed: Path, points: str, words: str, tmp_path: Path) -> None:
    own = "from models.formulation.family import family\n@family()\ndef power(m, inst): pass\n"
    (tmp_path / "quiet_power.py").write_text(own, encoding="utf-8")
    (installed / "entry_points.txt").write_text(f"[refarch.families]\n{points}\n", encoding="utf-8")
    families.cache_clear()
    with pytest.raises(UsageError, match=words):
        families()
