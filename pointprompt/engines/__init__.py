"""Where the heavy part of an analysis runs."""
