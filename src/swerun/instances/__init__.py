"""Subsets, loaders, the task-repo format, selection."""
