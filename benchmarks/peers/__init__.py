"""Other programs that run Whisper, each behind the same small interface, on the same weights."""
