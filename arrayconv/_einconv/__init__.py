"""How labelled calls become the one operation, for `einconv` and for `explain`."""
