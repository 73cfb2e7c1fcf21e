"""What a delivery does to the tickets that are there, and what a store refuses; the same for every store."""
