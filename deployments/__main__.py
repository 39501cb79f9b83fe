"""`python -m deployments [--check]`: register all at the server, or only look."""

import sys

from deployments.parts import reached
from engine.errors import TonspurError
from engine.settings import load


def main() -> int:
    """Exit status 1 when something is not as it should be, 2 when no server answers."""
    settings = load()
    try:
        reached(settings)
    except TonspurError as error:
        print(error, file=sys.stderr)
        return 2
    if "--check" in sys.argv[1:]:
        from deployments.checking import check

        rows = check(settings)
        for row in rows:
            print(f"{row.status:4} {row.check}: {row.found}{f'  {row.fix}' if row.fix else ''}")
        return 1 if any(row.status == "fail" for row in rows) else 0
    from deployments.bootstrap import bootstrap

    for made in bootstrap(settings):
        print(f"{made.what}: {made.change}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
