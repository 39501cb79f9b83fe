"""YouTube: addresses, feed, Data API with its keys and quota, downloads, failures."""
