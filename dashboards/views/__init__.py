"""One page a reader's question."""
