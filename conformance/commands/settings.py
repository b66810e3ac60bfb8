"""Where the options of a command may stand: in the target file under ``run``, in the environment, or as flags."""

from typing import Any

import click

from conformance.settings import RUN_SETTINGS


class Configured(click.Command):
    """A command whose options have one name everywhere; a flag beats the environment, and that beats the file."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for name, option in self._settings().items():
            option.envvar = f"GENSTORE_{name.upper()}"

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the settings of the target file that the arguments name, before they are read themselves."""
        from conformance.target import run_settings

        named = (
            super().make_context(info_name, list(args), parent, resilient_parsing=True, **extra).params.get("target")
        )
        given = run_settings(str(named))
        settings = {
            option.name: [given[name]] if option.multiple and isinstance(given[name], str) else given[name]
            for name, option in self._settings().items()
            if name in given
        }
        return super().make_context(info_name, args, parent, default_map=settings, **extra)

    def _settings(self) -> dict[str, click.Option]:
        """Return the options that may stand elsewhere, by their one name."""
        named = {
            max(p.opts, key=len).lstrip("-").replace("-", "_"): p for p in self.params if isinstance(p, click.Option)
        }
        return {name: option for name, option in named.items() if name in RUN_SETTINGS}
