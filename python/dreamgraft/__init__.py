"""dreamgraft."""
