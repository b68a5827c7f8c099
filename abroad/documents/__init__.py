"""Documents: fetched, sampled, split, and in the formats of others."""
