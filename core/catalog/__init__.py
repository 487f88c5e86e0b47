"""What is known without asking anybody: models, and what workers' programs can do."""
