"""What produces every figure in the README; not part of the installed package."""
