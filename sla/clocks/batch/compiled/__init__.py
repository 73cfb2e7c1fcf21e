"""The same backlog in machine code, where the optional compiler is installed."""
