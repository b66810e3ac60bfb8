"""The entry for other people's pytest: its options, and nothing else unless a target is named.

pytest imports this module in every run of everyone who has the suite, so it imports next to nothing of it.
"""

import pytest

from conformance.settings import PROFILES


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name a target and say how much to check."""
    group = parser.getgroup("conformance", "conformance to the Genstore refund API")
    group.addoption(
        "--conformance-target",
        metavar="TARGET",
        help="judge this target by the checks of conformance.suite: a target file, reference, fault:NAME, variant:NAME",
    )
    group.addoption("--conformance-profile", choices=PROFILES, default="standard")
    group.addoption("--conformance-seed", type=int, default=0, help="where generated requests start from")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the checks to life when a target is named."""
    if config.getoption("--conformance-target") is not None:
        from conformance.running.hosted import Hosted

        Hosted.register(config)
