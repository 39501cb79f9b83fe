from pathlib import Path

import pytest

from engine.audio.probing import probe
from engine.errors import EmptyFile, NoSoundTrack, NotMedia

SCRIPTS = {
    "list.m3u8": "#EXTM3U\n#EXTINF:5,\nsound.ts\n#EXT-X-ENDLIST\n",
    "list.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n",
    "list.ffconcat": "ffconcat version 1.0\nfile sound.wav\n",
    "list.mp4": "ffconcat version 1.0\nfile sound.wav\n",
    "call.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=audio 5004 RTP/AVP 0\n",
    "dash.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "notes.txt": "Nothing to hear here.\n" * 3000,
    "notes.mp3": "Nothing to hear here.\n" * 3000,
    "notes.m4a": "Nothing to hear here.\n",
    "titles.srt": "1\n00:00:01,000 --> 00:00:02,000\nHello\n",
}


def test_a_sound_file_tells_its_length_and_form(tone):
    found = probe(tone("a.mp3", 5, "-ar", "44100"))
    assert found.duration_s == pytest.approx(5, abs=0.1)
    assert (found.has_video, found.audio_streams, found.track) == (False, 1, 0)
    assert (found.sample_rate, found.channels, found.starts_s) == (44100, 1, 0)


def test_a_video_tells_that_it_has_pictures(media):
    sources = ("-f", "lavfi", "-i", "testsrc=d=2:s=64x64", "-f", "lavfi", "-i", "sine=d=2")
    assert probe(media("a.mp4", *sources)).has_video


def test_a_cover_is_no_video(media, tone):
    sound = tone("a.mp3", 2)
    cover = media("a.jpg", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-frames:v", "1")
    mapped = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic")
    assert not probe(media("b.mp3", "-i", str(sound), "-i", str(cover), *mapped)).has_video


def test_the_original_track_is_chosen_before_dubs(media):
    two = ("-f", "lavfi", "-i", "sine=d=2", "-f", "lavfi", "-i", "sine=d=2:f=800")
    marks = ("-map", "0", "-map", "1", "-disposition:a:0", "dub", "-disposition:a:1", "original")
    found = probe(media("a.mkv", *two, *marks))
    assert (found.audio_streams, found.track) == (2, 1)


def test_of_equal_tracks_the_first_is_chosen(media):
    two = ("-f", "lavfi", "-i", "sine=d=2", "-f", "lavfi", "-i", "sine=d=2:f=800")
    assert probe(media("a.mkv", *two, "-map", "0", "-map", "1")).track == 0


THREE = tuple(
    part for hertz in (440, 660, 880) for part in ("-f", "lavfi", "-i", f"sine=d=2:f={hertz}")
) + ("-map", "0", "-map", "1", "-map", "2")


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mka"])
@pytest.mark.parametrize(
    ("first", "second", "third", "chosen"),
    [
        ("dub+default", "0", "0", 1),
        ("comment+default", "visual_impaired", "0", 2),
        ("0", "default", "0", 1),
        ("default", "dub", "comment", 0),
    ],
)
def test_dubs_and_comments_are_passed_over_even_as_default(
    name, first, second, third, chosen, media
):
    marks = (first, second, third)
    flags = [part for i, mark in enumerate(marks) for part in (f"-disposition:a:{i}", mark)]
    assert probe(media(name, *THREE, *flags)).track == chosen


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
@pytest.mark.parametrize(
    ("titles", "chosen"),
    [
        (("Deutsch (Synchronfassung)", "English original", "Director's commentary"), 1),
        (("Audio description", "English", "Kommentar"), 1),
        (("Studio", "Stage", "Hall"), 0),
    ],
)
def test_where_there_are_no_flags_the_names_of_tracks_tell(name, titles, chosen, media):
    named = [part for i, t in enumerate(titles) for part in (f"-metadata:s:a:{i}", f"title={t}")]
    assert probe(media(name, *THREE, *named)).track == chosen


def test_a_track_of_an_unknown_codec_is_passed_over(media):
    two = ("-f", "lavfi", "-i", "sine=d=2", "-f", "lavfi", "-i", "sine=d=2")
    codecs = ("-map", "0", "-map", "1", "-c:a:0", "libvorbis", "-c:a:1", "flac")
    made = media("a.mkv", *two, *codecs)
    content = made.read_bytes()
    made.write_bytes(content.replace(b"A_VORBIS", b"A_NOBODY"))
    assert (probe(made).track, probe(made).codec) == (1, "flac")
    made.write_bytes(content.replace(b"A_VORBIS", b"A_NOBODY").replace(b"A_FLAC", b"A_NONE"))
    with pytest.raises(NotMedia, match="can be decoded"):
        probe(made)


def test_a_clock_that_does_not_start_at_zero_is_no_length(tone):
    for name in ("a.mka", "a.ogg"):
        found = probe(tone(name, 3, "-output_ts_offset", "20", "-c:a", "libopus"))
        assert (found.duration_s, found.sound_s) == pytest.approx((3, 3), abs=0.1)


def test_a_live_recording_promises_no_length(media, tone):
    found = probe(tone("a.webm", 2, "-c:a", "libopus", "-live", "1"))
    assert found.duration_s is None
    assert found.sound_s is None


def test_a_video_without_sound_is_told_apart(media):
    mute = media("mute.mp4", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64")
    with pytest.raises(NoSoundTrack, match=r"mute\.mp4 is a video without sound"):
        probe(mute)


def test_an_empty_file_is_told_apart(tmp_path: Path):
    (tmp_path / "empty.mp3").touch()
    with pytest.raises(EmptyFile, match=r"empty\.mp3"):
        probe(tmp_path / "empty.mp3")


def test_a_missing_path_and_a_folder_are_no_media(tmp_path: Path):
    with pytest.raises(NotMedia, match="there is no file"):
        probe(tmp_path / "nothing.mp3")
    with pytest.raises(NotMedia, match="folder"):
        probe(tmp_path)


@pytest.mark.parametrize("name", SCRIPTS)
def test_text_and_scripts_that_open_other_files_are_no_media(name, tmp_path: Path, tone):
    tone("sound.wav", 1)
    (tmp_path / name).write_text(SCRIPTS[name], encoding="utf-8")
    with pytest.raises(NotMedia, match=name):
        probe(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif"])
def test_pictures_are_no_media_whatever_their_name(name, media):
    picture = media(name, "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-frames:v", "1")
    renamed = picture.rename(picture.with_name("picture.mp3"))
    with pytest.raises(NotMedia):
        probe(renamed)


def test_a_file_that_holds_only_subtitles_is_no_media(media, tmp_path: Path):
    (tmp_path / "a.srt").write_text(SCRIPTS["titles.srt"], encoding="utf-8")
    with pytest.raises(NotMedia, match="neither sound nor pictures"):
        probe(media("a.mkv", "-i", str(tmp_path / "a.srt")))
