"""What is true: units, parts, sites, workloads, physics, candidates and the mixed-integer formulation.

Nothing in this package solves, writes or prints.
"""
