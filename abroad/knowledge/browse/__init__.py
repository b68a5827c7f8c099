"""A knowledge base in the browser: pages that the server writes, for this machine alone."""
