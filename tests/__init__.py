"""Examines the suite itself."""
