"""Targets that are broken or hostile: whatever they do, a run ends in time, in bounds, truly, and tells no secret."""
