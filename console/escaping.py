"""Text and icons on a page that understands Markdown."""

AT_WORK, DONE, FAILED = (
    ":material/hourglass_top:",
    ":green[:material/check_circle:]",
    ":red[:material/error:]",
)
"""Icons that Streamlit brings along, in its Markdown."""
_MARKS = frozenset("\\`*_{}[]<>()#+-.!|~$:")


def plain(text: str) -> str:
    """The text as it is: nothing in it becomes a link, an emoji, a formula or a heading."""
    return "".join(f"\\{c}" if c in _MARKS else c for c in " ".join(text.split()))
