"""The fleet: who is online, what each worker declared, maintenance, speed, uptime."""
