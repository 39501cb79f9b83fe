"""What comes from the net is shown as it is."""

import re

from hypothesis import given
from hypothesis import strategies as st

from console.escaping import plain


def test_markup_is_shown_and_not_obeyed() -> None:
    assert plain("[click](http://evil) $x$ :smile: <b>") == (
        r"\[click\]\(http\://evil\) \$x\$ \:smile\: \<b\>"
    )


@given(st.text())
def test_nothing_is_lost_but_line_ends(text: str) -> None:
    assert re.sub(r"\\(.)", r"\1", plain(text)) == " ".join(text.split())
    assert "\n" not in plain(text)
