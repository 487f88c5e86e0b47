"""The bot's own small database: jobs, logins, settings of guilds."""
