"""The page: the sidebar's choice, and four tabs of which the open one works."""

import streamlit as st

from console import channels, knowledge_base, library, sidebar, transcribe
from engine.errors import ConfigurationError

TABS = {
    "Channels": channels.show,
    "Transcribe": transcribe.show,
    "Library": library.show,
    "Knowledge base": knowledge_base.show,
}

st.set_page_config(page_title="Tonspur", page_icon=":material/graphic_eq:", layout="wide")
try:
    choice = sidebar.show()
except ConfigurationError as error:
    st.error(f"{error}", icon=":material/error:")
    st.markdown("`tonspur doctor` names every setting that is wrong. Mend it, then reload.")
    st.stop()
for tab, show in zip(st.tabs(list(TABS), on_change="rerun", key="tab"), TABS.values(), strict=True):
    if tab.open:
        with tab:
            show(choice)
