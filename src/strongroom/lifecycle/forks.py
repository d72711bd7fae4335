"""The entry in the trail that says that a state was put in place, and what came of the log (TS-409)."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from strongroom.audit.entries import Action, Author, Operation, told
from strongroom.audit.exports import read_witness
from strongroom.audit.forks import STATEMENT, fork_statement
from strongroom.clock import iso
from strongroom.errors import StrongroomError
from strongroom.home import EnvironmentRecord, Home
from strongroom.ids import Reference
from strongroom.opening import open_environment
from strongroom.records.platform_user import SYSTEM_USER
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Transaction
from strongroom.trail import WITNESS_FOLDER, Trail, signing_key


def newest_head(home: Home, record: EnvironmentRecord) -> StoredHead | None:
    """The head over most leaves that is known of an environment: of its log, sealed now if it opens, and its witness.

    A store that does not open any more leaves the witness's: a damaged file is a reason to restore, not to refuse.
    """
    heads: list[StoredHead] = []
    with suppress(StrongroomError):
        environment = open_environment(home, record.name)
        try:
            trail = Trail(home, environment)
            trail.seal()
            heads += trail.heads(newest=1)
        finally:
            environment.close()
    with suppress(StrongroomError, FileNotFoundError):
        heads += read_witness(home.path / WITNESS_FOLDER / f"{record.name}.jsonl")
    return max((head for head in heads if head.environment == record.id), key=lambda head: head.tree_size, default=None)


def forking(
    home: Home,
    record: EnvironmentRecord,
    source: Mapping[str, str],
    given_up: StoredHead | None,
    *,
    by: str,
    is_own: bool,
) -> Callable[[Transaction], None]:
    """What writes the entry into a store before it counts. Unless the state `is_own`, an earlier one of the same
    environment, the log begins anew: its leaves and heads are signed by another environment."""
    key = signing_key(home, record.id)

    def write(transaction: Transaction) -> None:
        if not is_own:
            transaction.log.start_anew()
        kept = transaction.log.size() if is_own else 0
        statement = fork_statement(record.id, kept, given_up, source, key)
        organizations = transaction.rows_where(transaction.schema.tables["organization"], {}, limit=1)
        about = organizations[0].reference() if organizations else Reference("systemuser", SYSTEM_USER)
        author = Author(
            Reference("systemuser", SYSTEM_USER), None, None, iso(home.clock.now()), f"restored by {by}"[:350]
        )
        changes = {STATEMENT: (None, statement)}
        transaction.append_audit([told(author, about, Operation.UPDATE, Action.RESTORED, changes)])

    return write
