"""`python -m augment_correction`, and the command `augment-correction`."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        from augment_correction.cli import main as run

        return run()
    except KeyboardInterrupt:  # while it loads, before there is anything to tell
        return 130


if __name__ == "__main__":
    sys.exit(main())
