"""The lines of a transcript as a component: they jump in the player, and follow it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from engine.transcript import clock


@dataclass(frozen=True)
class Spoken:
    """A line and its bounds in seconds."""

    start: float
    end: float
    text: str


_HTML = '<input type="search" placeholder="Find in this transcript"><ol></ol>'

_CSS = """
input { width: 100%; box-sizing: border-box; padding: .5rem; margin-bottom: .5rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid currentColor; border-radius: .5rem; }
ol { list-style: none; margin: 0; padding: 0; max-height: 65vh; overflow-y: auto; }
button { display: flex; gap: .75rem; width: 100%; padding: .35rem .5rem; border: 0; font: inherit;
  text-align: left; color: inherit; background: transparent; border-radius: .4rem;
  cursor: pointer; }
button:hover, button:focus-visible {
  background: color-mix(in srgb, currentColor 10%, transparent); }
button[aria-current] { background: color-mix(in srgb, currentColor 16%, transparent); }
time { flex: none; min-width: 4.2em; opacity: .65; font-variant-numeric: tabular-nums; }
"""

# textContent throughout: what was said is never markup
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ol");
  const search = parentElement.querySelector("input");
  const player = () => document.querySelector("audio, video");
  const shown = JSON.stringify(data);
  if (list.dataset.shown !== shown) {
    list.dataset.shown = shown;
    list.replaceChildren(...data.lines.map((line) => {
      const button = document.createElement("button");
      const at = document.createElement("time");
      const text = document.createElement("span");
      at.textContent = line.at;
      text.textContent = line.text;
      button.append(at, text);
      button.onclick = () => {
        const media = player();
        if (media) { media.currentTime = line.start; media.play(); mark(); }
        else { setTriggerValue("start", line.start); }
      };
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  }
  const items = [...list.children];
  search.oninput = () => {
    const words = search.value.toLocaleLowerCase();
    items.forEach((item, place) => {
      item.hidden = !data.lines[place].text.toLocaleLowerCase().includes(words);
    });
  };
  const mark = (at = player()?.currentTime ?? data.start) => {
    let last = -1;
    data.lines.forEach((line, place) => { if (line.start <= at + 0.05) last = place; });
    items.forEach((item, place) => {
      const button = item.firstChild;
      if (place !== last) { button.removeAttribute("aria-current"); return; }
      if (!button.hasAttribute("aria-current") && !search.value) {
        list.scrollTop += item.getBoundingClientRect().top - list.getBoundingClientRect().top
          - list.clientHeight / 3;
      }
      button.setAttribute("aria-current", "true");
    });
  };
  const follow = () => { const media = player(); if (media && !media.paused) mark(); };
  const timer = setInterval(follow, 250);
  mark(data.start);
  return () => clearInterval(timer);
}
"""

_component = st.components.v2.component("tonspur_lines", html=_HTML, css=_CSS, js=_JS)


def lines(spoken: Sequence[Spoken], start_s: float, *, key: str) -> float | None:
    """Draw them; the second that was asked for where the page has no player of its own."""
    told = [{**asdict(line), "at": clock(line.start, line.start >= 3600)} for line in spoken]
    result = _component(
        key=key,
        data={"lines": told, "start": start_s},
        on_start_change=lambda: None,
    )
    jumped = getattr(result, "start", None)
    return float(jumped) if jumped is not None else None
