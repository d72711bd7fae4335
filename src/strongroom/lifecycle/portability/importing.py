"""A new environment from an export: the same ids, values, owners, states and times, so the same people see the same
(TS-2102). Nothing is made before the whole file was checked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from strongroom.errors import InvalidRequest
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.keys import Secret
from strongroom.lifecycle.forks import forking
from strongroom.lifecycle.portability.checking import ExportFile, check_export, opened_export
from strongroom.lifecycle.portability.layout import DOCUMENTS, reader_of
from strongroom.opening import column_root
from strongroom.schema.codec import Document, Kind, schema_from
from strongroom.schema.model import Schema
from strongroom.store.database import StoreDatabase, open_database, remove_database

Tell = Callable[[str, int, int], None]


def import_everything(
    home: Home,
    path: Path,
    name: str,
    *,
    by: str,
    database: Secret | None = None,
    public_key: str | None = None,
    tell: Tell = lambda _, __, ___: None,
) -> EnvironmentRecord:
    """Make the sandbox `name` of an export, in a file or in the PostgreSQL database at `database`. It is in
    administration mode. Raises `InvalidRequest` for an export that is not whole, before anything is written."""
    with opened_export(path) as export:
        doubts = check_export(export, public_key)
        if doubts:
            raise InvalidRequest(
                f"The export is not what it was: {doubts[0]}", details={"reason": "export-damaged", "rule": "TS-2106"}
            )
        schema = _schema(export)
        region = str(export.manifest["Environment"]["Region"])
        record, key = home.add_environment(
            name, EnvironmentKind.BUSINESS, database, type=EnvironmentType.SANDBOX, region=region
        )
        place = home.database_file(record) if database is None else database.reveal().decode()
        try:
            made = open_database(
                place,
                data_key=key.reveal() if database is None else None,
                create=True,
                name=name,
                clock=home.clock,
                schema=schema,
                column_root=column_root(home, record.id),
            )
            try:
                _fill(made, schema, export, tell)
                source = {"Export": str(export.manifest["Signature"]), "Of": str(export.manifest["Environment"]["Id"])}
                note = forking(home, record, source, None, by=by, is_own=False)
                with made.write() as transaction:
                    note(transaction)
            finally:
                made.close()
        except BaseException:
            remove_database(place, name)
            home.drop_environment(name)
            raise
    return home.change_environment(replace(record, state=EnvironmentState.ADMINISTRATION))


def _fill(made: StoreDatabase, schema: Schema, export: ExportFile, tell: Tell) -> None:
    tables = {path: facts for path, facts in export.files.items() if "table" in facts}
    with made.loading() as load:
        load.empty()
        for number, (path, facts) in enumerate(tables.items()):
            tell("tables", number, len(tables))
            columns = tuple(str(column) for column in facts["columns"])
            read = reader_of(schema, str(facts["table"]), columns)
            load.table(str(facts["table"]), columns, (read(line) for line in export.lines(path)))
        load.stamp(int(export.manifest["Epoch"]), int(export.manifest["Version"]))


def _schema(export: ExportFile) -> Schema:
    def document(line: bytes) -> Document:
        told: dict[str, Any] = orjson.loads(line)
        return Document(Kind(told["kind"]), str(told["name"]), told["body"] is None, told["body"])

    try:
        return schema_from(map(document, export.lines(DOCUMENTS)), 1)
    except (KeyError, ValueError, TypeError):
        raise InvalidRequest("The metadata of the export cannot be read.") from None
