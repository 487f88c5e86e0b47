"""Requests, jobs, attempts and lanes: who waits, who works on what. Knows no kudos and no HTTP."""
