import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audio.level import Level, measured

REPORT = """[Parsed_ebur128_3 @ 0x5] [info] Summary:

  Integrated loudness:
    I:         {loudness} LUFS
    Threshold: -51.7 LUFS

  Loudness range:
    LRA:         0.0 LU

  Sample peak:
    Peak:      {peak} dBFS
"""


def report(loudness: object, peak: object) -> str:
    return REPORT.format(loudness=loudness, peak=peak)


def test_the_level_is_read_from_the_report():
    assert measured("noise\n" + report(-23.4, -7.1) + "size=") == Level(-23.4, -7.1)


@pytest.mark.parametrize(("loudness", "peak"), [("-70.0", "-inf"), ("nan", "nan"), ("-inf", "-80")])
def test_silence_has_no_loudness_and_no_gain(loudness, peak):
    level = measured(report(loudness, peak))
    assert level.loudness_lufs is None
    assert level.gain_db == 0


@pytest.mark.parametrize("text", ["", "Summary:", report("1.2.3", "x"), report("", "")])
def test_a_report_that_cannot_be_read_gives_no_gain(text):
    assert measured(text).gain_db == 0


def test_of_several_parts_the_loudest_counts():
    assert measured(report(-30, -9) + report(-20, -12) + report(-70.0, "-inf")) == Level(-20, -9)


@given(st.floats(-69, 10), st.floats(-90, 6))
def test_no_gain_raises_a_peak_above_the_ceiling_or_beyond_thirty(loudness, peak):
    gain = Level(loudness, peak).gain_db
    assert gain <= 30
    assert peak + gain <= -1 + 1e-9
    assert loudness + gain <= -16 + 1e-9
