"""Tables of cases, without code."""
