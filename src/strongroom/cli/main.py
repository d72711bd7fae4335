"""The entry point `strongroom`.

Exit status: 0 done; 1 the answer is no (a doubt found by `check`, access denied in `explain`); 2 it could not be done,
with one line on standard error that says why.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from strongroom.cli.access_policies import access_policies
from strongroom.cli.alerts import alerts
from strongroom.cli.apps import apps
from strongroom.cli.audit import audit
from strongroom.cli.backup import backup, restore
from strongroom.cli.bench import bench
from strongroom.cli.check import check
from strongroom.cli.clock import clock
from strongroom.cli.diagnose import diagnose, health
from strongroom.cli.elevation import elevation
from strongroom.cli.environments import environment
from strongroom.cli.explain import explain
from strongroom.cli.files import files
from strongroom.cli.firewall import firewall
from strongroom.cli.import_ import import_
from strongroom.cli.incidents import incidents
from strongroom.cli.init import init
from strongroom.cli.jobs import jobs
from strongroom.cli.keys import keys
from strongroom.cli.lockbox import lockbox
from strongroom.cli.move_data import export_data, import_data
from strongroom.cli.policy import policy_test
from strongroom.cli.portability import export_check
from strongroom.cli.providers import providers, scim
from strongroom.cli.serve import serve
from strongroom.cli.solutions import export, solutions
from strongroom.cli.sql import sql
from strongroom.cli.stream import stream
from strongroom.cli.token import token
from strongroom.cli.trace import trace
from strongroom.cli.users import sessions, users
from strongroom.cli.vault import vault
from strongroom.cli.whatif import whatif
from strongroom.cli.who import sees, who
from strongroom.errors import StrongroomError

FAILED = 2


audit.add_command(stream)


@click.group(
    commands=[
        init,
        serve,
        token,
        users,
        apps,
        sessions,
        providers,
        scim,
        access_policies,
        elevation,
        firewall,
        explain,
        who,
        sees,
        whatif,
        policy_test,
        sql,
        trace,
        import_,
        import_data,
        export_data,
        files,
        export,
        solutions,
        jobs,
        audit,
        incidents,
        alerts,
        lockbox,
        vault,
        export_check,
        backup,
        restore,
        environment,
        check,
        health,
        diagnose,
        clock,
        keys,
        bench,
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="strongroom", message="strongroom %(version)s")
def cli() -> None:
    """Strongroom: your business data on your own machines, behind the Dataverse Web API and its security model.

    A home is a folder that holds everything: `strongroom init` makes one, `strongroom serve` serves it, and
    `strongroom token` lets a user in.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit status of one command. Commands return it; None means 0."""
    try:
        status: object = cli.main(args=arguments, prog_name="strongroom", standalone_mode=False)
    except click.ClickException as error:
        return _fail(_usage(error))
    except StrongroomError as error:
        return _fail(error.message)
    except OSError as error:
        return _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; nothing more was done")
    return status if isinstance(status, int) else 0


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if isinstance(context, click.Context) else "strongroom"
    return f"{message}. See `{path} --help`."


def _fail(message: str) -> int:
    click.echo(f"strongroom: {' '.join(message.split())}", err=True)
    return FAILED
