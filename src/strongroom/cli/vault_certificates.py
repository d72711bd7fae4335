"""`strongroom vault certificate`: certificates in vaults (TS-607)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import home_option, session_in
from strongroom.cli.output import say

if TYPE_CHECKING:
    from strongroom.keys import Secret

_CONTROL = "control"
_user_option = click.option("--user", default="admin", metavar="NAME", help="As whom; admin unless said otherwise.")
_exportable = click.option("--exportable", is_flag=True, help="Its key may leave the vault, as PFX.")
_hosts = click.option("--host", "hosts", multiple=True, metavar="H", help="A host that it is for; may be repeated.")
_type = click.option("--type", "kind", default="EC-P256", show_default=True, help="EC-P256, RSA-3072 and their kin.")
_password = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file whose first line is the password.",
)


@click.group(short_help="Certificates: brought along, made here, asked for.")
def certificate() -> None:
    """Certificates with keys that sign inside the vault."""


@certificate.command("import", short_help="Take a PFX or PEM in.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_password
@_exportable
@_user_option
@home_option
def import_(
    vault_name: str, name: str, file: Path, password_file: Path | None, exportable: bool, user: str, home: Path
) -> None:
    """Store the certificate with its key and chain in FILE (PFX, or PEM) as a new version of NAME in VAULT."""
    from strongroom.cli.vault import asker_of
    from strongroom.estate.vault_certificates import import_certificate

    password = _secret(password_file)
    with session_in(home, _CONTROL, user, write=True) as session:
        version = import_certificate(
            session, vault_name, name, file.read_bytes(), password, asker_of(session), exportable=exportable
        )
    say(f"'{name}' has the version {version}.")


@certificate.command(short_help="Make a self-signed certificate.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.argument("common_name")
@_hosts
@_type
@click.option("--days", type=click.IntRange(1, 825), default=365, show_default=True, help="How long it lasts.")
@_exportable
@_user_option
@home_option
def create(
    vault_name: str,
    name: str,
    common_name: str,
    hosts: tuple[str, ...],
    kind: str,
    days: int,
    exportable: bool,
    user: str,
    home: Path,
) -> None:
    """Make a certificate for COMMON_NAME, signed by its own key, as a new version of NAME in VAULT."""
    from strongroom.cli.vault import asker_of
    from strongroom.estate.vault_certificates import Subject, make_self_signed

    with session_in(home, _CONTROL, user, write=True) as session:
        subject = Subject(common_name, hosts)
        version = make_self_signed(
            session, vault_name, name, subject, asker_of(session), kind=kind, days=days, exportable=exportable
        )
    say(f"'{name}' has the version {version}.")


@certificate.command(short_help="Make a key, and a request for an authority.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.argument("common_name")
@_hosts
@_type
@_exportable
@_user_option
@home_option
def request(
    vault_name: str,
    name: str,
    common_name: str,
    hosts: tuple[str, ...],
    kind: str,
    exportable: bool,
    user: str,
    home: Path,
) -> None:
    """Make a key for NAME in VAULT, and print the request (CSR) for the authority that is to certify COMMON_NAME."""
    from strongroom.cli.vault import asker_of
    from strongroom.estate.vault_certificates import Subject, request_certificate

    with session_in(home, _CONTROL, user, write=True) as session:
        subject, asker = Subject(common_name, hosts), asker_of(session)
        _, asked = request_certificate(session, vault_name, name, subject, asker, kind=kind, exportable=exportable)
    say(asked.rstrip())


@certificate.command(short_help="Take the authority's certificate in.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_user_option
@home_option
def complete(vault_name: str, name: str, file: Path, user: str, home: Path) -> None:
    """Put the certificate and chain in FILE (PEM) to the key of NAME in VAULT that asked for it."""
    from strongroom.cli.vault import asker_of
    from strongroom.estate.vault_certificates import complete_request

    with session_in(home, _CONTROL, user, write=True) as session:
        version = complete_request(session, vault_name, name, file.read_bytes(), asker_of(session))
    say(f"'{name}' has the version {version}.")


@certificate.command(short_help="Print a certificate.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@_user_option
@home_option
def show(vault_name: str, name: str, user: str, home: Path) -> None:
    """Print the certificate NAME in VAULT with its chain as PEM; not its key."""
    from strongroom.cli.vault import asker_of
    from strongroom.estate.vault_certificates import chain_of

    with session_in(home, _CONTROL, user, write=False) as session:
        _, chain = chain_of(session, vault_name, name, asker_of(session))
    say(chain.rstrip())


@certificate.command(short_help="Write certificate and key to a PFX.")
@click.argument("vault_name", metavar="VAULT")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@_password
@_user_option
@home_option
def export(vault_name: str, name: str, file: Path, password_file: Path | None, user: str, home: Path) -> None:
    """Write certificate, chain and key of NAME in VAULT to FILE, under a password; where its key may leave."""
    from strongroom.cli.vault import asker_of
    from strongroom.errors import InvalidRequest
    from strongroom.estate.vault_certificates import export_pfx
    from strongroom.jobs.data.private_files import owner_only

    password = _secret(password_file)
    if password is None:
        raise InvalidRequest("--password-file is needed: a key leaves under a password alone.")
    with session_in(home, _CONTROL, user, write=True) as session:
        pfx = export_pfx(session, vault_name, name, password, asker_of(session), None)
    with open(file, "xb", opener=owner_only) as target:
        target.write(pfx)
    say(f"{file} holds '{name}'.")


def _secret(file: Path | None) -> "Secret | None":
    from strongroom.keys import Secret

    return None if file is None else Secret(file.read_bytes().split(b"\n", 1)[0].rstrip(b"\r"))
