"""Libraries of the predecessor, taken over without a second transcription.

Reading old texts, finding what belongs together, and putting it where the pipeline finds it done.
"""
