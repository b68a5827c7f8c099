"""What developers run beside the tests: `make docs` writes the reference pages with these."""
