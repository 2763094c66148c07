"""The constants of the cost model: a shipped table, and a user's own rows that replace it.

The formulas are not here: each method has its own.
"""
