"""Text: what a pop of it asks for, and the language model that writes it."""
