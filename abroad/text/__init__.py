"""What a text says before any model is asked: tokens, names, lists, organisms, evidence."""
