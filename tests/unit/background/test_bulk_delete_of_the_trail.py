"""Bulk deletion of entries of the trail leaves hashes that prove everything else, and tells of itself (TS-806)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.background.job_world import JobWorld
from tests.worlds import depths

from strongroom.audit.heads import Signer
from strongroom.audit.sealing import Sealer
from strongroom.audit.verification import logged_entries, verify
from strongroom.background.bulk_delete import begin_bulk_delete
from strongroom.background.tables import OPERATION
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Reference
from strongroom.schema.model import Depth, Rights
from strongroom.store.database import StoreDatabase

ENVIRONMENT = Guid("11111111-2222-4333-8444-555555555555")
LEADS = {
    "EntityName": "audit",
    "Criteria": {
        "FilterOperator": "And",
        "Conditions": [{"AttributeName": "objecttypecode", "Operator": "Equal", "Values": ["lead"]}],
    },
}


def test_entries_that_a_query_finds_are_taken_out_with_proof(database: StoreDatabase) -> None:
    """TS-806: action 111 says who and how many; leaves stay without salts; a second run finds nothing more, and what
    tells of removals is never taken out."""
    world = JobWorld(database)
    signer = Signer(ENVIRONMENT, Ed25519PrivateKey.generate(), is_test_home=False)
    sealer = Sealer(database, signer, world.clock, lambda _: None)
    for name in ("one", "two", "three"):
        world.make("lead", {"lastname": name})
    account = world.make("account", {"name": "stays"})
    sealer.seal()
    with world.acting(world.admin) as session:
        begin_bulk_delete(session, "Old leads", [LEADS])
    with world.acting(world.admin) as session:
        begin_bulk_delete(session, "Everything", [{"EntityName": "audit"}])

    world.run()

    assert world.rows("audit", objecttypecode="lead") == []
    assert world.rows(OPERATION)[0].values["successcount"] == 3
    removals = world.rows("audit", action=111)
    assert removals[0].values["userid"] == Reference("systemuser", world.admin)
    assert '"oldValue":3' in str(removals[0].values["changedata"])
    assert "Old leads" in str(removals[0].values["changedata"])
    assert {row.values["action"] for row in world.rows("audit")} == {111, 5}  # the job's own end came afterwards
    assert world.find("account", account) is not None
    sealer.seal()
    with database.read() as transaction:
        heads = transaction.log.heads()
    verdict = verify(ENVIRONMENT, signer.public, logged_entries(database), heads)
    assert verdict.doubts == ()
    assert verdict.removed > 3


def test_it_takes_the_right_to_delete_partitions(database: StoreDatabase) -> None:
    """TS-806: `prvDeleteAuditPartitions`; who may delete rows in bulk may not delete the trail for that."""
    world = JobWorld(database)
    rights = {"account": depths(Depth.GLOBAL, [Rights.READ, Rights.DELETE])}
    names: dict[str, Depth] = dict.fromkeys(("prvBulkDelete", "prvReadAuditSummary"), Depth.GLOBAL)
    clerk = world.user("Clerk", None, world.role("Clerk", rights, by_name=names))
    with pytest.raises(AccessDenied, match="prvDeleteAuditPartitions"), world.acting(clerk) as session:
        begin_bulk_delete(session, "Hide", [LEADS])
