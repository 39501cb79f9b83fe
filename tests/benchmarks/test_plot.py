from xml.etree import ElementTree

import pytest

from benchmarks.peers.machine import this_machine
from benchmarks.peers.result import Recording, Result, Run, Unmeasured, medians
from benchmarks.plot import picture
from benchmarks.plot_table import markdown

SVG = "{http://www.w3.org/2000/svg}"
LABELS = {"ours": "Ours", "other": "Other & sons <1>"}


def run(peer: str, file: str, round_: int, wall_s: float) -> Run:
    return Run(
        peer=peer,
        file=file,
        round=round_,
        place=1,
        load_s=3.0,
        wall_s=wall_s,
        cpu_s=wall_s,
        others_cpu_s=0.0,
        times_real_time=60.0 / wall_s,
        peak_mb=500.4,
        word_error_rate=0.0789,
        language="en",
    )


@pytest.fixture
def result() -> Result:
    runs = [run("ours", "a.flac", number, wall) for number, wall in enumerate((3.0, 2.0, 9.0), 1)]
    runs += [run("other", "a.flac", number, wall) for number, wall in enumerate((6.0, 7.0, 5.0), 1)]
    runs += [run("other", "b.flac", 1, 4.0)]
    return Result(
        date="2026-11-24",
        model="base",
        threads=2,
        rounds=3,
        machine=this_machine().model_copy(update={"processor": "R&D chip"}),
        versions={"other": "1.0"},
        labels=LABELS,
        parameters={"ours": {}, "other": {"beam": 5}},
        recordings=[
            Recording(file="a.flac", language="en", duration_s=60.0, words=100),
            Recording(file="b.flac", language="de", duration_s=125.0, words=200),
        ],
        rows=medians(runs, LABELS),
        unmeasured=[Unmeasured(subject="ours", file="b.flac", reason="it broke")],
        runs=runs,
    )


def drawn(result: Result) -> ElementTree.Element:
    return ElementTree.fromstring(picture(result, "ours"))


def bars_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [part for part in root.iter(f"{SVG}rect") if "bar" in part.attrib["class"].split()]


def test_the_median_run_counts_and_the_fastest_comes_first(result: Result) -> None:
    first, second, third = result.rows
    assert (first.peer, first.wall_s, first.runs) == ("ours", 3.0, 3)
    assert (first.fastest_s, first.slowest_s, first.times_real_time) == (2.0, 9.0, 20.0)
    assert (second.peer, second.wall_s) == ("other", 6.0)
    assert (third.file, third.runs) == ("b.flac", 1)


def test_bars_are_as_long_as_engines_are_fast(result: Result) -> None:
    bars = bars_of(drawn(result))
    lengths = [float(bar.attrib["width"]) for bar in bars]
    speeds = [row.times_real_time for row in result.rows]
    assert lengths == pytest.approx([max(lengths) * s / max(speeds) for s in speeds], abs=0.1)
    assert ["ours" in bar.attrib["class"] for bar in bars] == [True, False, False]


def test_the_picture_says_every_figure_as_text(result: Result) -> None:
    said = [text.text for text in drawn(result).iter(f"{SVG}text")]
    for words in ("Other & sons <1>", "20.0×", "7.9 %", "500 MB", "b.flac, de, 2:05 min"):
        assert words in said
    assert "R&D chip" in said
    assert "Same weights, same files; medians of 3 interleaved runs, 2026-11-24." in said


def test_nothing_is_drawn_outside_the_picture(result: Result) -> None:
    root = drawn(result)
    height = float(root.attrib["height"])
    tops = [float(text.attrib["y"]) for text in root.iter(f"{SVG}text")]
    assert 0 < min(tops) <= max(tops) < height
    ends = [float(bar.attrib["x"]) + float(bar.attrib["width"]) for bar in bars_of(root)]
    assert max(ends) < 700  # the error rates begin here


def test_the_picture_follows_a_dark_theme(result: Result) -> None:
    style = next(drawn(result).iter(f"{SVG}style")).text or ""
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for kind in ("text {", ".ground {", ".bar {", ".bar.ours {", ".quiet {", ".line {"):
        assert kind in light
        assert kind in dark


def test_the_table_has_ours_in_bold_and_says_what_is_missing(result: Result) -> None:
    lines = markdown(result, "ours").splitlines()
    assert "| **Ours** | **3.0** | **20.0** | **500** | **7.9** |" in lines
    assert "| Other & sons <1> | 6.0 | 10.0 | 500 | 7.9 |" in lines
    assert "**b.flac** (de, 125 s)" in lines
    assert "- ours on b.flac: it broke" in lines


def test_a_result_survives_its_file(result: Result) -> None:
    again = Result.model_validate_json(result.model_dump_json(indent=1))
    assert again == result
    assert picture(again, "ours") == picture(result, "ours")
