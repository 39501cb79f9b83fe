"""The engine of the machine: a light process that listens, queues, and keeps the model warm.

`python -m engine.whisper.service` runs it; it imports neither torch nor transformers.
"""

CARD = "engine"
"""Name of its card in STATE_DIR/run."""
