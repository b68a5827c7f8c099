"""Instructions of several kinds made of curated documents, and by a model itself."""
