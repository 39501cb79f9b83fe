"""Stand-ins for YouTube and ODIN AI over real HTTP, for `tonspur demo` and for the tests."""

from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo

__all__ = ["Sandbox", "SandboxChannel", "SandboxSpec", "SandboxVideo"]
