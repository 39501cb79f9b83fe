"""From a media file to level 16 kHz mono audio and the windows that hold speech."""
