"""`strongroom files`: what file and image columns hold, up, down and away."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from strongroom.environment import Environment
    from strongroom.ids import Guid
    from strongroom.records import Session
    from strongroom.schema.model import Column, Table


@click.group(short_help="Files and images of rows: put, get, remove.")
def files() -> None:
    """What file and image columns of rows hold. A PLACE is TABLE/ID/COLUMN, as in account/<id>/entityimage."""


_place = click.argument("place", metavar="PLACE")
_user = click.option(
    "--user", default="admin", show_default=True, metavar="NAME", help="Who acts: a sign-in name or id."
)


@files.command(short_help="Put a file into a column.")
@_place
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="The name that it gets; without it, that of FILE.")
@_user
@home_option
@environment_option
@json_option
def put(
    place: str, file: Path, name: str | None, user: str, home: Path, environment: str | None, as_json: bool
) -> None:
    """Put FILE into PLACE (TABLE/ID/COLUMN), 4 MiB at a time, as the Web API does with chunks.

    Of a picture for an image column a thumbnail is made; where and with what it was taken is left out.
    """
    from strongroom.opening import open_environment
    from strongroom.records import file_transfers as transfers
    from strongroom.records.files import Upload

    live = open_environment(opened(home), environment)
    shown = name or file.name
    try:
        with _session(live, user, write=True) as session:
            table, row, column = _found(session, place)
            token = transfers.begin_upload(session, table, row, column, shown).token
        with file.open("rb") as source:
            start = 0
            while piece := source.read(transfers.BLOCK):
                with _session(live, user, write=True) as session:
                    transfers.append(session, transfers.upload_of(session, token), start, piece)
                start += len(piece)
        with _session(live, user, write=True) as session:
            transfer = transfers.upload_of(session, token)
            new = Upload(transfer.name, transfers.media_type(None, transfer.name))
            file_id, size = transfers.commit(session, transfer, transfers.blocks_in_order(session, transfer), new)
    finally:
        live.close()
    if as_json:
        print_json({"id": file_id, "name": shown, "size": size})
    else:
        say(f"{place}: {shown}, {size:,} bytes")


@files.command(short_help="Get what a column holds.")
@_place
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--thumbnail", is_flag=True, help="Of an image the thumbnail, not the full image.")
@_user
@home_option
@environment_option
@json_option
def get(place: str, out: Path, thumbnail: bool, user: str, home: Path, environment: str | None, as_json: bool) -> None:
    """Write what PLACE (TABLE/ID/COLUMN) holds to a new file OUT, which only its owner reads."""
    from strongroom.errors import InvalidRequest, NotFound
    from strongroom.jobs.data import write_content
    from strongroom.opening import open_environment
    from strongroom.records.files import content, held, tell_download
    from strongroom.records.images import thumbnail_of
    from strongroom.schema.model import ColumnType

    if out.exists():
        raise InvalidRequest(f"'{out}' is there already; remove it, or name another file.")
    live = open_environment(opened(home), environment)
    try:
        with _session(live, user, write=False) as session:
            table, row, column = _found(session, place)
            _, file = held(session, table, row, column)
            small = thumbnail and column.type is ColumnType.IMAGE
            if file is None or not (small or file.size or column.type is ColumnType.FILE):
                raise NotFound(
                    f"'{place}' holds nothing that you may read" + (", or a thumbnail only." if file else ".")
                )
            tell_download(session, table, row, column)
            body = thumbnail_of(session, file) if small else None
            size = file.size if body is None else len(body)
            write_content(out, size, lambda a, b: content(session, file, a, b) if body is None else body[a:b])
    finally:
        live.close()
    if as_json:
        print_json(
            {"file": str(out), "name": file.name, "type": "image/jpeg" if small else file.mime_type, "size": size}
        )
    else:
        say(f"{out}: {size:,} bytes")


@files.command(short_help="Remove what a column holds.")
@_place
@_user
@home_option
@environment_option
def remove(place: str, user: str, home: Path, environment: str | None) -> None:
    """Remove what PLACE (TABLE/ID/COLUMN) holds."""
    from strongroom.opening import open_environment
    from strongroom.records import files as contents

    live = open_environment(opened(home), environment)
    try:
        with _session(live, user, write=True) as session:
            contents.remove(session, *_found(session, place))
    finally:
        live.close()
    say(f"{place}: removed")


def _session(live: "Environment", user: str, *, write: bool) -> "AbstractContextManager[Session]":
    from strongroom.cli.telling import facts_of_command

    return live.session_of(user, write=write, facts=facts_of_command())


def _found(session: "Session", place: str) -> "tuple[Table, Guid, Column]":
    from strongroom.errors import InvalidRequest
    from strongroom.ids import parse_guid
    from strongroom.records.file_transfers import file_column

    parts = place.split("/")
    row = parse_guid(parts[1]) if len(parts) == 3 else None
    if row is None:
        raise InvalidRequest(
            f"'{place[:200]}' is no place of a file: write TABLE/ID/COLUMN, as in account/<id>/entityimage."
        )
    table = session.schema.tables.get(parts[0])
    if table is None:
        raise InvalidRequest(f"There is no table '{parts[0][:100]}'; name it by its logical name, such as account.")
    return table, row, file_column(table, parts[2])
