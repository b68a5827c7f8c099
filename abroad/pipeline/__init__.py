"""The whole way from a table to a report in one config: its stages, and what of them is done."""
