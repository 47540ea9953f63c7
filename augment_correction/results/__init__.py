"""A finished run: its files, derived from the journal and the outcomes, and read again by commands that ask nobody."""
