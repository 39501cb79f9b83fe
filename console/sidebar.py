"""The sidebar: project, preset, model, language; below it how the machine is."""

from typing import Any, cast, get_args

import streamlit as st

from console import behind
from console.choice import Choice, wish
from deployments.commands import key_rows
from engine.gpu.watch import Watch
from engine.settings import PresetName, load
from engine.whisper import shared
from engine.whisper.checkpoints import HUB_IDS
from engine.whisper.presets import PRESETS
from engine.whisper.vocabulary import LANGUAGES
from tasks.job import Job

_EVERY_S = 5
_OF_THE_MACHINE = "(the machine's)"


def show() -> Choice:
    """Draw it, and say what is chosen.

    Raises:
        ConfigurationError: a setting or a wish cannot be used.
    """
    machine = load()
    with st.sidebar:
        st.header("Tonspur", anchor=False)
        project = st.text_input(
            "Project", machine.odin_project_id, help="Id of the ODIN AI project that is filled."
        )
        presets = list(get_args(PresetName))
        preset = st.selectbox(
            "Preset",
            presets,
            presets.index(machine.whisper_preset),
            format_func=lambda name: f"{name}: {PRESETS[name].batch_windows} windows at a time",
            help="How much is transcribed at a time; every preset hears all that is said.",
        )
        model = st.selectbox(
            "Model",
            [machine.whisper_model or _OF_THE_MACHINE, *HUB_IDS],
            accept_new_options=True,
            help="A name, a hub id or a folder.",
        )
        languages = ["auto", *sorted(LANGUAGES)]
        language = st.selectbox("Language", languages, _place(languages, machine.whisper_language))
        _machine()
    named = None if model in (None, _OF_THE_MACHINE) else wish(model, machine.whisper_model)
    job = Job(
        preset=cast(Any, wish(preset, machine.whisper_preset)),
        model=named,
        language=wish(language, machine.whisper_language),
        project=wish(project.strip() or machine.odin_project_id, machine.odin_project_id),
    )
    return Choice(job, job.settings())


def _place(among: list[str], name: str) -> int:
    return among.index(name) if name in among else 0


@st.fragment(run_every=_EVERY_S)
def _machine() -> None:
    st.divider()
    _gpu()
    _queue()
    _keys()


def _gpu() -> None:
    with Watch() as watch:
        reading = watch.read()
    card = reading.state
    if card is None:
        st.caption(f"GPU: none. {reading.why or ''}")
        return
    st.caption(f"GPU: {card.name}")  # cuda only
    if card.used_bytes is not None and card.total_bytes:  # cuda only
        share = card.used_bytes / card.total_bytes
        memory = f"{card.used_bytes / 1e9:.1f} of {card.total_bytes / 1e9:.1f} GB"
        st.progress(share, f"Memory: {memory}")
    if card.load_percent is not None:  # cuda only
        heat = "" if card.temperature_c is None else f", {card.temperature_c} °C"
        st.progress(card.load_percent / 100, f"Load: {card.load_percent} %{heat}")


def _queue() -> None:
    engine = shared.answering(load())
    health = engine.health() if engine else None
    if health is None:
        st.caption("Engine: starts with the first job; `tonspur up` keeps it warm.")
        return
    queue = health["queue"]
    loaded = f"{health['model']} on {health['device']}" if health["model"] else "no model loaded"
    st.caption(f"Engine: {loaded}")
    at_work, waiting = queue["running"] + queue["preparing"], queue["waiting"]
    st.caption(f"Queue: {at_work} at work, {waiting} waiting")
    if dashboard := behind.dashboard():
        st.caption(f"[Prefect's dashboard]({dashboard})")


def _keys() -> None:
    rows = key_rows()
    if not rows:
        st.caption("YouTube keys: none. Single videos work without; channels need `YT_API_KEYS`.")
        return
    st.caption("YouTube keys, units of today")
    for row in rows:
        share = min(row.units / row.units_budget, 1.0) if row.units_budget else 1.0
        st.progress(share, f"{row.key}: {row.units} of {row.units_budget}")
