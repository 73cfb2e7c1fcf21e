"""What a ticket must not tell a server of others, and the marks that stand there for it."""
