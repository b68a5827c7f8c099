"""Generation by a server that speaks the OpenAI API."""
