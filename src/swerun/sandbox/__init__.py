"""Containers: starting them, one command channel each, limits, and reaping."""
