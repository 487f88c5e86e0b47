"""Known models, and what workers' programs can do."""
