"""Systems that take allocation decisions, and bring their groups, by an API of their own."""
