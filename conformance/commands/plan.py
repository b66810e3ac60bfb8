"""``plan``: what a run needs, before it sends anything."""

from typing import TYPE_CHECKING

import click

from conformance.commands.options import orders_option, profile_option, select_option, selected
from conformance.commands.settings import Configured
from conformance.commands.targets import opened

if TYPE_CHECKING:
    from conformance.running.forecast import Forecast, Wanted


@click.command("plan", cls=Configured)
@click.argument("target", default="reference")
@profile_option
@select_option
@orders_option
@click.option("--pool-template", is_flag=True, help="Print a pool file to be filled in, in place of the plan.")
def command(
    target: str, profile: str, selection: tuple[str, ...], orders: str | None, pool_template: bool  # noqa: FBT001 - a flag of the command line
) -> None:  # fmt: skip
    """Say what a run on TARGET needs: orders, requests, writes, money and time. Nothing is sent.

    \b
    Example
      genstore-conformance plan staging.yaml --profile quick --pool-template > orders.yaml
    """  # noqa: D301 - click takes the character itself
    from conformance.running import forecast
    from conformance.running.run import Options

    chosen = selected(selection)
    with opened(target, orders) as subject:
        needed = forecast.forecast(subject, Options(profile, chosen))
    if pool_template:
        click.echo(forecast.pool_template(needed), nl=False)
        return
    click.echo(f"{profile} profile{', only ' + ', '.join(chosen) if chosen else ''}: {needed.checks} checks")
    for line in _lines(needed):
        click.echo(line)


def _lines(needed: "Forecast") -> list[str]:
    minutes, seconds = divmod(round(needed.seconds), 60)
    shipped = f", {needed.to_ship} of them to be shipped later" if needed.to_ship else ""
    return [
        f"orders    {len(needed.orders)}{shipped}",
        *(f"  {count:>4}  {_kind(wanted)}" for wanted, count in needed.kinds.items()),
        f"requests  about {needed.requests}, {needed.writes} of them writes",
        f"tidying   about {needed.to_reject} more writes, to reject what is open at the end",
        f"money     {needed.approved:,.2f} in approved refunds; at most the {needed.worth:,.2f} that the orders cost",
        f"time      {minutes} min {seconds} s at the platform's rate, 40 requests and then 2 per second",
        "A target that fails or lags takes more of each, and so do --workers: keep a few orders to spare.",
    ]


def _kind(wanted: "Wanted") -> str:
    lines = ", ".join(f"{units} × {price}" for units, price in wanted.lines[:4])
    more = f" and {len(wanted.lines) - 4} more lines" if len(wanted.lines) > 4 else ""  # noqa: PLR2004 - those shown
    shop = " in the other shop" if wanted.other_shop else ""
    return f"{'shipped' if wanted.shipped else 'not shipped'}{shop}: {lines}{more}"
