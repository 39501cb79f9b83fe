"""Thin Prefect tasks around the steps of the engine: retries, tags, names, progress."""
