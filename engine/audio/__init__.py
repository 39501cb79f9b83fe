"""From any media file to level 16 kHz mono samples, and the windows in which somebody speaks."""
