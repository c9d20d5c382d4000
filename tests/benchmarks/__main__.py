"""``make bench``: our times beside baselines measured in the same run; see :mod:`tests.benchmarks.bench`."""

import sys

from tests.benchmarks.bench import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
