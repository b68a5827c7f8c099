"""Relations from a model that is not trained for them: examples in the prompt, and the answer read by rule."""
