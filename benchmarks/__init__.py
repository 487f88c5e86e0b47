"""How fast the server is: job cycles, pops at depth, waiting, beside the floor of a bare route."""
