"""The exports, read by the trainers that docs/training.md names, each in an environment of its own."""
