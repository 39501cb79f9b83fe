"""The files are the database: where media, sidecars and transcripts live, and what is done."""
