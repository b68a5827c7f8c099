"""Extraction by names alone: what stands in one sentence is taken for related. A field's file is all that it needs."""
