"""`python -m deployments`: register pool, slot and deployments at the server of PREFECT_API_URL."""

from deployments.bootstrap import bootstrap
from engine.settings import load

if __name__ == "__main__":
    for made in bootstrap(load()):
        print(f"{made.what}: {made.change}")
