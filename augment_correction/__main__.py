"""`python -m augment_correction`."""

import sys

if __name__ == "__main__":
    try:
        from augment_correction.cli import main

        code = main()
    except KeyboardInterrupt:  # while it loads, before there is anything to tell
        code = 130
    sys.exit(code)
