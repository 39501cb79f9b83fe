import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadAddress
from engine.youtube import addresses
from engine.youtube.addresses import ChannelAddress, PlaylistAddress, VideoAddress

ID = "dQw4w9WgXcQ"
UC = "UCuAXFkgsw1L7xaCfnd5JJOw"
PL = "PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf"
ALPHABET = string.ascii_letters + string.digits + "_-"
video_ids = st.text(ALPHABET, min_size=11, max_size=11)
channel_ids = st.text(ALPHABET, min_size=22, max_size=22).map("UC{}".format)
hosts = st.sampled_from(
    ["youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "WWW.YouTube.com"]
)
schemes = st.sampled_from(["https://", "http://", "", "//"])


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"  {ID}\n",
        f"https://www.youtube.com/watch?v={ID}",
        f"https://www.youtube.com/watch?app=desktop&v={ID}&list={PL}#t=30",
        f"http://m.youtube.com/watch?v={ID}#t=1m",
        f"https://music.youtube.com/watch?v={ID}&si=x",
        f"youtube.com/watch?v={ID}",
        f"https://youtu.be/{ID}",
        f"https://youtu.be/{ID}?t=4",
        f"https://youtu.be/{ID}&feature=share",
        f"youtu.be/{ID}/",
        f"https://www.youtube.com/shorts/{ID}?feature=share",
        f"https://www.youtube.com/live/{ID}",
        f"https://www.youtube.com/embed/{ID}?start=3",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"https://www.youtube.com/v/{ID}",
        f"https://WWW.YOUTUBE.COM:443/watch?v={ID}",
    ],
)
def test_every_form_of_a_video_names_its_id(text: str) -> None:
    assert addresses.parse(text) == VideoAddress(ID)
    assert addresses.video_id(text) == ID


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("@GoogleDevelopers", "handle", "GoogleDevelopers"),
        ("@GoogleDevelopers?x=1", "handle", "GoogleDevelopers"),
        ("@GoogleDevelopers/videos", "handle", "GoogleDevelopers"),
        ("https://www.youtube.com/@GoogleDevelopers/videos?view=0", "handle", "GoogleDevelopers"),
        ("https://www.youtube.com/%40caf%C3%A9.tv", "handle", "café.tv"),
        ("https://youtube.com/@हिन्दी", "handle", "हिन्दी"),
        (UC, "id", UC),
        (f"https://www.youtube.com/channel/{UC}/videos", "id", UC),
        (f"https://music.youtube.com/channel/{UC}?a=b", "id", UC),
        ("https://www.youtube.com/c/GoogleDevelopers/featured", "custom", "GoogleDevelopers"),
        ("https://www.youtube.com/user/Google", "user", "Google"),
    ],
)
def test_every_form_of_a_channel_names_it(text: str, kind: str, value: str) -> None:
    assert addresses.channel(text) == ChannelAddress(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        PL,
        f"https://www.youtube.com/playlist?list={PL}",
        f"https://www.youtube.com/playlist?foo=1&list={PL}#x",
        f"https://www.youtube.com/embed/videoseries?list={PL}",
        f"https://www.youtube.com/watch?list={PL}",
    ],
)
def test_every_form_of_a_playlist_names_it(text: str) -> None:
    assert addresses.parse(text) == PlaylistAddress(PL)
    assert addresses.playlist(text) == PlaylistAddress(PL)


def test_a_video_inside_of_a_playlist_is_a_video_unless_a_playlist_is_asked_for() -> None:
    text = f"https://www.youtube.com/watch?v={ID}&list={PL}"
    assert addresses.parse(text) == VideoAddress(ID)
    assert addresses.playlist(text) == PlaylistAddress(PL)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("https://vimeo.com/12345", "vimeo.com"),
        (f"https://youtube.com@evil.example/watch?v={ID}", "evil.example"),
        (f"https://evilyoutube.com/watch?v={ID}", "evilyoutube.com"),
        (f"ftp://youtube.com/watch?v={ID}", "ftp"),
        ("https://www.youtube.com/", "front page"),
        ("https://www.youtube.com/feed/subscriptions", "no video, channel or playlist"),
        ("https://www.youtube.com/watch?v=short", "“short” is no video id"),
        ("https://www.youtube.com/watch", "holds no id"),
        ("https://youtu.be/", "front page"),
        ("https://www.youtube.com/channel/videos", "“videos” is no channel id"),
        ("https://www.youtube.com/c/", "without a name"),
        ("https://www.youtube.com/playlist", "no list="),
        ("https://www.youtube.com/playlist?list=a b", "is no playlist id"),
        ("@", "looks like a handle"),
        ("@two words", "looks like a handle"),
        ("GoogleDevelopers", "no address, id or @handle"),
        ("http://[::1", "no address"),
        ("http://youtube.com:port/", "no address"),
        ("x" * 3000, "too long"),
        ("abc\x00def", "control characters"),
    ],
)
def test_what_names_nothing_is_refused_with_what_was_understood(text: str, said: str) -> None:
    with pytest.raises(BadAddress, match=said.replace("(", r"\(")):
        addresses.parse(text)


def test_the_wrong_kind_is_refused_by_its_name() -> None:
    with pytest.raises(BadAddress, match=r"is a channel \(Google\), not a video"):
        addresses.video_id("@Google")
    with pytest.raises(BadAddress, match=r"is a video \(.*\), not a channel; a handle"):
        addresses.channel(ID)
    with pytest.raises(BadAddress, match="not a channel"):
        addresses.channel(PL)
    with pytest.raises(BadAddress, match="not a playlist"):
        addresses.playlist("@Google")
    with pytest.raises(BadAddress, match="not a playlist"):
        addresses.playlist(ID)


def test_a_long_text_is_shown_in_part() -> None:
    with pytest.raises(BadAddress) as refused:
        addresses.parse("https://example.org/" + "x" * 1000)
    assert len(str(refused.value)) < 200


@given(video_ids, hosts, schemes, st.sampled_from(["watch?v=", "shorts/", "live/", "embed/"]))
def test_any_id_survives_any_address(video_id: str, host: str, scheme: str, path: str) -> None:
    if path == "embed/" and video_id == "videoseries":
        return
    assert addresses.video_id(f"{scheme}{host}/{path}{video_id}#t=3") == video_id


@given(channel_ids, hosts, schemes, st.sampled_from(["", "/", "/videos", "?sub=1", "/about?x#y"]))
def test_any_channel_id_survives_any_suffix(uc: str, host: str, scheme: str, suffix: str) -> None:
    assert addresses.channel(f"{scheme}{host}/channel/{uc}{suffix}") == ChannelAddress("id", uc)


@given(st.one_of(st.text(), st.text(ALPHABET + "/:?&=@#.% ").map("https://youtube.com/{}".format)))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        found = addresses.parse(text)
    except BadAddress as refused:
        assert str(refused)
        return
    if isinstance(found, VideoAddress):
        assert len(found.video_id) == 11
    elif isinstance(found, ChannelAddress):
        assert found.value
        assert "/" not in found.value
