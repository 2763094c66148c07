"""The constants of the cost model: a shipped table, and a user's own in its place.

Nothing here knows a method's formula: each method has its own.
"""
