"""Alchemy: forms of existing pictures, and what answers them."""
