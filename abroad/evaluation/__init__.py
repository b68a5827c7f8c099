"""Score predicted relations against curated ones, with intervals, slices and a report to read."""
