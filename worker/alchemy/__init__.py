"""Alchemy: what forms ask of pictures that are there, and what answers them."""
