"""`python -m augment_correction`."""

import sys

from augment_correction.cli import main

if __name__ == "__main__":
    sys.exit(main())
