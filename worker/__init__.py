"""The worker: pops jobs, renders them with diffusers, uploads the pictures, submits the results."""
