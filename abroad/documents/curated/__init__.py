"""Labels that are shipped without their texts (`data/curated`): their format, and how they are joined to texts."""
