"""Exact design-space exploration for AI racks and clusters."""
