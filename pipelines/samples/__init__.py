"""Believable support tickets, their histories and the truth about them, made from a seed."""
