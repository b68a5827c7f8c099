"""Models for others to use: packed with all they need, and compressed."""
