"""Rack elevations and row plans: every device of a design at a position, every cable at a routed length.

Imports nothing heavy; ``planner.lay_out`` does the work, ``check.check_layout`` holds the result against geometry alone.
"""
