"""What is asked of a writer: keywords, findings, principles, and the form of the prompt."""
