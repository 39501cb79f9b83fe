"""Whisper through transformers and torch: checkpoints, decoding, segments, the model process."""
