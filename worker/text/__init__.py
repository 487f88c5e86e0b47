"""Text: popped orders, and the language model that writes it."""
