"""Searched tables on disk: what is read is what was kept, damage is as if nothing were there, and no table outlives its sources."""

from __future__ import annotations

import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.candidates import table_sources
from models.candidates.table_sources import sources_digest
from optimizer import performance_cache
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.journal import default_journal

PACKAGES = Path(table_sources.__file__).resolve().parents[2]
ARRAYS = {
    "used": np.array([8, 16, 2**53 + 1], dtype=np.int64),
    "rate": np.array([1.5, np.nan, -0.0]),
    "best": np.arange(12.0).reshape(3, 4),
    "none": np.zeros((0, 7)),
    "last": np.zeros(0, dtype=np.int64),
}


def test_what_is_read_is_what_was_kept(tmp_path: Path) -> None:
    cache = PerformanceCache(tmp_path / "deep" / "er")
    cache.put("k", ARRAYS)
    found = cache.get("k")
    assert found is not None
    assert list(found) == list(ARRAYS)
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype
        assert found[name].shape == values.shape
        assert found[name].tobytes() == values.tobytes()
        found[name][...] = 0  # nobody else's memory
    assert cache.get("other") is None


@pytest.fixture(autouse=True)
def told_afresh() -> None:
    performance_cache._tell.cache_clear()


@pytest.mark.parametrize("damage", ["cut", "longer", "another form", "empty", "heads", "a figure", "folder"])
def test_a_damaged_file_is_as_if_it_were_not_there(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = PerformanceCache(tmp_path)
    cache.put("k", ARRAYS)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(
            {
                "cut": content[:-3],
                "longer": content + b"12345678",
                "another form": b"PK" + content,
                "empty": b"",
                "heads": content.replace(b"<f8", b"|O8"),
                "a figure": content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
            }[damage]
        )
    assert cache.get("k") is None
    assert PerformanceCache(tmp_path).get("k") is None
    (record,) = caplog.records
    assert str(tmp_path) in record.getMessage() and "searched anew" in record.getMessage()
    if damage != "folder":
        cache.put("k", ARRAYS)
        assert cache.get("k") is not None


def test_a_table_under_the_name_of_another_is_not_taken_for_it(tmp_path: Path) -> None:
    cache = PerformanceCache(tmp_path)
    cache.put("k", ARRAYS)
    shutil.copy(tmp_path / "k.arrays", tmp_path / "other.arrays")
    assert cache.get("k") is not None
    assert cache.get("other") is None


def test_tables_of_an_earlier_form_are_no_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for form in performance_cache.EARLIER:
        (tmp_path / "k.arrays").write_bytes(form + b'[["used", "<i8", [1]]]\n' + bytes(8))
        assert PerformanceCache(tmp_path).get("k") is None
    assert not caplog.records


def test_a_full_disk_costs_only_what_was_to_be_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = PerformanceCache(tmp_path)
    cache.put("small", {"one": np.zeros(1)})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        for key in ("large", "larger"):
            cache.put(key, {"many": np.zeros(1000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["small.arrays"]
    assert cache.get("small") is not None
    assert cache.get("large") is None
    (record,) = caplog.records
    assert "cannot be kept" in record.getMessage() and performance_cache.VARIABLE in record.getMessage()


def test_who_reads_while_others_write_finds_whole_files(tmp_path: Path) -> None:
    arrays = {"many": np.arange(50_000.0)}
    PerformanceCache(tmp_path).put("k", arrays)

    def write(_: int) -> None:
        PerformanceCache(tmp_path).put("k", arrays)

    with ThreadPoolExecutor(3) as writers:
        under_way = [writers.submit(write, turn) for turn in range(60)]
        while not all(one.done() for one in under_way):
            found = PerformanceCache(tmp_path).get("k")
            assert found is not None and found["many"].tobytes() == arrays["many"].tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["k.arrays"]


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(performance_cache.VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    cache = PerformanceCache()
    cache.put("k", ARRAYS)
    assert cache.get("k") is None
    assert len(caplog.records) == 1
    assert default_journal("limits", "0123") is None


def test_other_types_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="eight bytes"):
        PerformanceCache(tmp_path).put("k", {"text": np.array(["a"])})


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = PerformanceCache(tmp_path / "file" / "below")
    cache.put("k", ARRAYS)
    assert cache.get("k") is None


def _digest_of(copy: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(table_sources, "files", lambda package: copy.joinpath(*package.split(".")))
    sources_digest.cache_clear()
    try:
        return sources_digest()
    finally:
        sources_digest.cache_clear()


@pytest.mark.parametrize(
    ("changed", "tells"),
    [
        ("models/physics/performance/training.py", True),
        ("models/physics/performance/inference.py", True),
        ("models/candidates/mapping_search.py", True),
        ("models/candidates/serving_table.py", True),
        ("models/candidates/placing.py", False),
    ],
)
def test_a_change_of_what_works_out_a_table_gives_another_digest(
    changed: str, tells: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("models/physics/performance", "models/candidates"):
        shutil.copytree(PACKAGES / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert _digest_of(tmp_path, monkeypatch) == sources_digest() != ""
    file = tmp_path / changed
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    before = _digest_of(tmp_path, monkeypatch)
    file.write_bytes(file.read_bytes() + b"\nNEW = 1\n")
    assert (_digest_of(tmp_path, monkeypatch) != before) is tells
