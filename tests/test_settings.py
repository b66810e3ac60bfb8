"""Settings have one name in the target file, the environment and the flags, and the table tells of each of them."""

from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from conformance.cli import main
from conformance.commands import run
from conformance.settings import RUN_SETTINGS

TABLE = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
NOWHERE = {
    "base_url": "http://127.0.0.1:9",
    "tokens": {"full": "secret"},
    "orders": {"url": "http://127.0.0.1:9/orders"},
}


def planned(tmp_path: Path, settings: dict[str, object], *flags: str, environment: dict[str, str] | None = None) -> str:
    """Return what ``plan`` says of a target file with some settings."""
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump({**NOWHERE, "run": {"select": ["ACCESS-01"], **settings}}))
    return CliRunner().invoke(main, ["plan", str(path), *flags], env=environment or {}).output


def test_a_flag_beats_the_environment_and_that_beats_the_file(tmp_path: Path) -> None:
    """The same setting in all three places, one after another."""
    assert planned(tmp_path, {"profile": "quick"}).startswith("quick profile, only ACCESS-01")
    environment = {"GENSTORE_PROFILE": "full"}
    assert planned(tmp_path, {"profile": "quick"}, environment=environment).startswith("full profile")
    assert planned(tmp_path, {}, "--profile", "quick", environment=environment).startswith("quick profile")


def test_a_flag_can_undo_what_the_file_says(tmp_path: Path) -> None:
    """Of what is on or off, each can be said."""
    both = {"read_only": True, "max_writes": 10}
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump({**NOWHERE, "run": both}))

    assert "--read-only is no write at all" in CliRunner().invoke(main, ["run", str(path)]).output
    undone = ["run", str(path), "--no-read-only", "--out", str(tmp_path / "out"), "--select", "ACCESS-01"]
    assert "--read-only" not in CliRunner().invoke(main, undone).output


def test_the_settings_of_a_file_of_any_name_count(tmp_path: Path) -> None:
    """A target file is one whatever it is called, and its tokens are nobody's business before they are needed."""
    path = tmp_path / "target.conf"
    path.write_text("base_url: https://a.example.com\ntokens: {full: '${UNSET}'}\nrun: {profile: huge}\n")

    assert "'huge' is not one of" in CliRunner().invoke(main, ["run", str(path)]).output


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"wokers": 3}, "Did you mean workers?"),
        ({"profile": "huge"}, "'huge' is not one of"),
        ({"select": "nothing-like-it"}, "there is no requirement or area"),
    ],
)
def test_a_setting_that_cannot_be_is_a_mistake_with_a_hint(
    tmp_path: Path, settings: dict[str, object], words: str
) -> None:
    """An unknown key, an unknown value, an unknown requirement."""
    assert words in planned(tmp_path, settings)


@pytest.mark.parametrize("name", RUN_SETTINGS)
def test_the_table_tells_of_every_setting(name: str) -> None:
    """By its name in the file, in the environment, and as the flag that the command has."""
    row = next(line for line in TABLE.splitlines() if line.startswith(f"| `run: {{{name}:"))
    flag = f"--{name.replace('_', '-')}"
    option = next(p for p in run.command.params if isinstance(p, click.Option) and flag in p.opts)

    assert f"`{flag}`" in row
    assert f"`{option.envvar}`" in row
