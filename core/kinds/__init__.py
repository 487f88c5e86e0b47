"""The kinds of requests: their parameters, limits, sizes and needs. Knows no queue and no kudos."""
