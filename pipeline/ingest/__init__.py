"""raw → clean: discover, claim, check, convert, commit."""
