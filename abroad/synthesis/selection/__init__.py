"""Which synthetic abstracts are worth training on."""
