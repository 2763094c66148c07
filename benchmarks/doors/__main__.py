"""python -m benchmarks.doors."""

import sys

from benchmarks.doors.run import main

if __name__ == "__main__":
    sys.exit(main())
