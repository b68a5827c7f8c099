"""The aggregated database: pairs of all documents with their evidence, what is known of them, and how to look at it."""
