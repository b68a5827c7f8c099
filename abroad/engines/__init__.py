"""Text generation behind one protocol, so that a stage does not know what runs the model."""
