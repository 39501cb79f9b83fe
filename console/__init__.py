"""The console: a page in the browser for who reads, uploads and looks things up.

A thin client of deployments, engine and library; `page.py` is what Streamlit runs.
"""
