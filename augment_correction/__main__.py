"""`python -m augment_correction`, and the command `augment-correction`."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        from augment_correction.cli import main as run

        return run()
    except KeyboardInterrupt:  # while it loads, before there is anything to tell
        return 130
    finally:
        # A Ctrl-C inside of code that Python compiles from a string, as `dataclass` and `namedtuple` do while modules load, is noted by
        # CPython as one that nobody caught: at its end it would kill itself by SIGINT and not exit with our code. The next such code
        # takes the note away (`run_eval_code_obj` in its Python/pythonrun.c).
        exec("")


if __name__ == "__main__":
    sys.exit(main())
