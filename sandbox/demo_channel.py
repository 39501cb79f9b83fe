"""The demo channel, and videos with obstacles that a test may add to it."""

from datetime import UTC, datetime, timedelta

from sandbox.spec import SandboxChannel, SandboxPlaylist, SandboxSpec, SandboxVideo

HANDLE = "@tonspur-demo"

_TALKS = (
    SandboxVideo(
        id="eNz-6p5YUbY",
        title="Fishing before sunrise: a morning at the harbor",
        published=datetime(2024, 3, 4, 6, 30, tzinfo=UTC),
        talk="harbor",
        description="A short talk about the fish market.\n\nChapters:\n0:00 The ships\n0:18 Buyers",
        tags=("fishing", "harbor", "market"),
        views=1204,
        likes=96,
    ),
    SandboxVideo(
        id="_ssYRms24yg",
        title='How to bake a loaf of bread / "no knead" 🍞',
        published=datetime(2024, 5, 17, 15, 0, tzinfo=UTC),
        talk="bread",
        container="webm",
        description='Flour & water, <salt> and yeast. Recipe: "simple"',
        tags=("bread", "baking"),
        views=58310,
        likes=4012,
    ),
    SandboxVideo(
        id="qSBQn5h11ss",
        title="Birds in winter — what a small garden can do?",
        published=datetime(2024, 9, 1, 23, 59, 59, tzinfo=UTC),
        talk="garden",
        container="mp4",
        tags=("garden", "birds"),
        views=877,
        likes=81,
    ),
    SandboxVideo(
        id="3zzJ-VIp9Y0",
        title="The old stone bridge | engineering in 40 seconds & no concrete",
        published=datetime(2025, 1, 12, 9, 5, tzinfo=UTC),
        talk="bridge",
        container="mp3",
        description="Why an arch gets stronger when people walk over it.",
        views=20416,
        likes=1533,
    ),
    SandboxVideo(
        id="6QhMF_KdssI",
        title="Sleep well * five simple rules",
        published=datetime(2025, 2, 27, 18, 45, tzinfo=UTC),
        talk="sleep",
        tags=("sleep", "health"),
        views=3310,
        likes=287,
    ),
    SandboxVideo(
        id="uF_C5ANi1Hk",
        title="Better tea #shorts ☕",
        published=datetime(2025, 3, 8, 12, 0, tzinfo=UTC),
        talk="tea",
        container="mp4",
        short=True,
        tags=("tea", "shorts"),
        views=99120,
        likes=7004,
    ),
    SandboxVideo(
        id="OowJFXS_-5Y",
        title="Die Eisenbahn: früher, heute – und übermorgen?",
        published=datetime(2025, 4, 21, 7, 15, tzinfo=UTC),
        talk="eisenbahn",
        language="de",
        container="webm",
        description="Ein kurzer Vortrag über Züge, Städte und Umwelt. Schöne Grüße!",
        tags=("Eisenbahn", "Geschichte"),
        views=642,
        likes=55,
    ),
)

DEMO_CHANNEL = SandboxChannel(
    id="UCWZlWK0ear36VjPOYgH0piA",
    handle=HANDLE,
    username="tonspurdemo",
    title="Tonspur Demo: short talks",
    description="Plain talks about plain things, spoken by a machine.",
    videos=_TALKS,
    playlists=(
        SandboxPlaylist(
            id="PLC13327112429DEE6tonspurKitchenZ0",
            title="Kitchen",
            videos=("uF_C5ANi1Hk", "_ssYRms24yg"),
        ),
    ),
)


def demo_spec() -> SandboxSpec:
    """What `tonspur demo` serves: six talks and a Short, less than four minutes in all."""
    return SandboxSpec(channels=(DEMO_CHANNEL,))


def obstacles(now: datetime) -> tuple[SandboxVideo, ...]:
    """One video per obstacle; the premiere starts a day after `now`."""

    def video(id: str, title: str, obstacle: str, **more: object) -> SandboxVideo:  # noqa: A002
        published = datetime(2025, 5, 1 + len(title) % 28, 10, 0, tzinfo=UTC)
        fields = {"id": id, "title": title, "published": published, "talk": "tea", **more}
        return SandboxVideo.model_validate({**fields, "obstacle": obstacle})

    soon = {"scheduled": now + timedelta(days=1)}
    return (
        video("-SE7D6ezK4M", "Premiere tomorrow", "upcoming", **soon),
        video("_rTgUsZQLYw", "On air now", "live", scheduled=now - timedelta(minutes=20)),
        video("-Z-2qeJBjh8", "Kept to ourselves", "private"),
        video("VLxWWK1-iUk", "For members", "members"),
        video("o-xdN_dQ0Pg", "For adults", "age"),
        video("yCZOXSE6r_s", "Not in your country", "region"),
        video("juuA-GJZc08", "Still processing", "processing"),
    )
