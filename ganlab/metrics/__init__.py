"""How good is a generator? Each measure says what it misses."""
