"""What may be asked and said here, and from where: prompts, names, addresses, modes."""
