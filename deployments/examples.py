"""Examples of every command, as `--help` shows them and the tests try them."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("tonspur demo",),
    "up": ("tonspur up",),
    "sync": (
        "tonspur sync @channel --all --dry-run",
        "tonspur sync @channel --latest 20 --shorts without",
        "tonspur sync @channel --since 2024-01-01 --language de --no-upload",
    ),
    "playlists": ("tonspur playlists @channel",),
    "video": (
        "tonspur video https://youtu.be/jNQXAC9IVRw",
        "tonspur video jNQXAC9IVRw --model turbo --no-upload",
    ),
    "file": (
        "tonspur file interview.mp3 lectures/",
        "tonspur file meeting.mp4 --language de --preset schnell --json",
    ),
    "upload": (
        "tonspur upload handbook.pdf",
        "tonspur upload papers/ --include *.pdf --metadata category=paper",
    ),
    "search": ('tonspur search "quiet harbour"', "tonspur search harbo* --channel @channel"),
    "ask": ('tonspur ask "Why was the harbour quiet?"',),
    "status": ("tonspur status", "tonspur status @channel --all"),
    "retry": (
        "tonspur retry",
        'tonspur retry --cause "members only"',
        "tonspur retry jNQXAC9IVRw",
    ),
    "keys": ("tonspur keys",),
    "engine": ("tonspur engine",),
    "server": ("tonspur server",),
    "worker": ("tonspur worker",),
    "stop": ("tonspur stop",),
    "console": ("tonspur console", "tonspur console --port 8600 --no-browser"),
    "doctor": ("tonspur doctor", "tonspur doctor --json"),
    "adopt": ("tonspur adopt old-library", "tonspur adopt old-library --yes"),
    "odin list": ("tonspur odin list --json",),
    "odin verify": ("tonspur odin verify",),
    "odin repair": ("tonspur odin repair", "tonspur odin repair --yes"),
    "odin check": ("tonspur odin check",),
}


def epilog(command: str) -> str:
    """What stands below a command's options."""
    return "\n\n".join(["Examples:", *EXAMPLES[command]])
