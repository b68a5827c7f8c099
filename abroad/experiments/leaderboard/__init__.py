"""Models side by side on suites of cases, in the manner of Chain-of-Thought Hub (arXiv 2305.17306)."""
