"""Checks that `import pydl` needs only numpy and at most 60 ms more than `import numpy`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

LIMIT = 0.060  # seconds
TRIES = 15


def seconds(statement: str) -> float:
    """Returns how long a new interpreter takes for a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", statement], check=True)
    return time.perf_counter() - start


def main() -> None:
    seconds("import pydl")  # from now on the files are in the page cache
    pairs = [(seconds("import numpy"), seconds("import numpy, pydl")) for _ in range(TRIES)]
    extra = statistics.median(ours - numpy for numpy, ours in pairs)
    print(f"import pydl takes {1000 * extra:.0f} ms more than import numpy")
    if extra > LIMIT:
        sys.exit(f"expected at most {1000 * LIMIT:.0f} ms")


if __name__ == "__main__":
    main()
