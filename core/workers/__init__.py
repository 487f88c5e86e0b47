"""The fleet: who is there, what each worker declared, maintenance, speed, uptime."""
