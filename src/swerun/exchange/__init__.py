"""Runs as other tools write and read them: SWE-bench, its leaderboard, and agents of others."""
