"""What the operator starts: one flow per file, each a list of steps."""
