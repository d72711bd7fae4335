"""TS-723: the operations that ask who it is, by the names that they bear."""

from strongroom.identity.step_up import DANGEROUS
from strongroom.messages import operations


def test_every_dangerous_operation_is_one_that_there_is() -> None:
    """A name that nothing bears would leave the operation it was meant for without the question."""
    assert DANGEROUS - operations().keys() == set()


def test_what_destroys_an_environment_or_opens_one_asks_who_it_is() -> None:
    """TS-410, TS-506, TS-806, TS-1501."""
    assert {
        "PurgeEnvironment",
        "RestoreEnvironment",
        "RevokeKey",
        "RotateKey",
        "DeleteAuditData",
        "ApproveLockboxRequest",
        "BreakGlass",
        "AddPrivilegesRole",
    } <= DANGEROUS
