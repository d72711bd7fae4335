"""`strongroom token`: a bearer token for a user, on standard output and nothing else."""

from datetime import timedelta
from pathlib import Path

import click

from strongroom.cli.options import environment_option, home_option, opened
from strongroom.cli.output import say


@click.command(short_help="Print a bearer token for a user.")
@home_option
@click.option(
    "--user", required=True, metavar="NAME", help="Sign-in name or id of the user; `admin` is the first administrator."
)
@environment_option
@click.option(
    "--minutes", type=click.IntRange(1, 30 * 24 * 60), metavar="N", help="How long the token lives; at most 30 days."
)
def token(home: Path, user: str, environment: str | None, minutes: int | None) -> None:
    """Print a bearer token for a user.

    Clients send it as `Authorization: Bearer TOKEN`. A running server takes it at once. Whoever can read the home's
    keys can make tokens for every user; each one is told in the environment's activity log.
    """
    from strongroom.audit.activities import Activity
    from strongroom.cli.telling import tell_command
    from strongroom.environment import find_user
    from strongroom.identity import issue
    from strongroom.opening import open_environment

    opened_home = opened(home)
    lifetime = timedelta(minutes=minutes or opened_home.settings.tokens.minutes)
    opened_environment = open_environment(opened_home, environment)
    try:
        with opened_environment.database.read() as transaction:
            user_id = find_user(transaction, user)
        lives = int(lifetime.total_seconds() // 60)
        tell_command(opened_environment, Activity.TOKEN_ISSUED, "token", foruser=user_id, minutes=lives)
    finally:
        opened_environment.close()
    say(issue(opened_home.keys, opened_environment.id, user_id, opened_home.clock, lifetime))
