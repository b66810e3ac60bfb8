"""The names that the settings of a run have everywhere: on the command line, in the environment, in the target file."""

PROFILES = ("quick", "standard", "full")
RUN_SETTINGS = (
    "profile", "select", "seed", "out", "rps", "workers", "max_writes", "read_only", "waivers", "keep", "format",
)  # fmt: skip
"""The options of a run that a target file may give under ``run``; the command line says what each may be."""
AUTO = 0
"""Stands for as many workers as the target's latency is worth."""
