"""What a model looks at while it reads."""
