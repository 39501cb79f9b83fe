"""How it runs: work pool, GPU slot, deployments, supervised processes."""
