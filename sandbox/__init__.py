"""Stand-ins for YouTube and ODIN AI over real HTTP, for the demo and the tests."""
