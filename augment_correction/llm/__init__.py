"""Only this package talks to models."""
