"""Generation with transformers, in this process: runs anywhere, on a CPU too."""
