"""R2, R3: losing power, or an operation of the disk, at any step of a change of the ring loses no key."""

import errno
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from simulated_disk import PowerLoss, SimulatedDisk

from strongroom.clock import TestClock
from strongroom.errors import HomeError
from strongroom.ids import Guid
from strongroom.keys import KeyRing, Secret, create_ring, open_ring, parse_source

HOME = Guid("00000000-0000-7000-8000-000000000001")
ENVIRONMENT = Guid("00000000-0000-7000-8000-000000000002")
FOLDER = Path("/home-of-the-test")
CLOCK = TestClock(datetime(2026, 1, 1, tzinfo=UTC))
SEEDS = 40


def key_of(ring: KeyRing) -> Secret:
    return ring.open_environment(ENVIRONMENT, lambda key: key)


def start() -> tuple[SimulatedDisk, KeyRing, Secret]:
    disk = SimulatedDisk()
    ring = create_ring(FOLDER, HOME, parse_source("file"), CLOCK, disk=disk)
    key = ring.add_environment(ENVIRONMENT, CLOCK)
    disk.steps = 0
    return disk, ring, key


def every_failure(failure: Callable[[], BaseException], work: Callable[[KeyRing, SimulatedDisk], object]):
    """(disk, ring, key, completed) after `work` failed at its n-th operation, for every n, and once after success."""
    for step in range(1, 100):
        disk, ring, key = start()
        disk.fail_at, disk.failure = step, failure()
        try:
            work(ring, disk)
        except (PowerLoss, OSError):
            yield disk, ring, key, False
        else:
            assert step > 3
            yield disk, ring, key, True
            return
    raise AssertionError("the work never ends")


def test_power_loss_at_every_step_of_a_rotation_keeps_every_key() -> None:
    for disk, ring, key, _ in every_failure(PowerLoss, lambda ring, _: ring.rotate()):
        for seed in range(SEEDS):
            reopened = open_ring(FOLDER, disk=disk.after_power_loss(random.Random(seed)))

            assert key_of(reopened) == key
            assert reopened.signing_key()[0] == ring.document.signing[-1].id


def test_power_loss_at_every_step_of_a_rotation_to_another_file_keeps_every_key() -> None:
    elsewhere = parse_source("file:/elsewhere/root.key")

    for disk, _, key, completed in every_failure(PowerLoss, lambda ring, _: ring.rotate(elsewhere)):
        for seed in range(SEEDS):
            rebooted = disk.after_power_loss(random.Random(seed))

            assert key_of(open_ring(FOLDER, disk=rebooted)) == key
            if completed:
                assert rebooted.read(FOLDER / "root.key") is None


def test_power_loss_at_every_step_of_a_new_data_key_leaves_a_key_that_opens_the_store() -> None:
    store: list[Secret] = []

    def reencrypt(disk: SimulatedDisk, key: Secret) -> None:
        disk.step()
        store.append(key)
        disk.step()

    def rekey(ring: KeyRing, disk: SimulatedDisk) -> None:
        store[:] = [key_of(ring)]
        ring.rekey(ENVIRONMENT, lambda key: reencrypt(disk, key), CLOCK)

    def attempt(key: Secret) -> Secret:
        if key != store[-1]:
            raise HomeError("The key does not fit.")
        return key

    for disk, _, _, completed in every_failure(PowerLoss, rekey):
        for seed in range(SEEDS):
            reopened = open_ring(FOLDER, disk=disk.after_power_loss(random.Random(seed)))

            assert reopened.open_environment(ENVIRONMENT, attempt) == store[-1]
            settled = reopened.document.environments[ENVIRONMENT]
            assert settled.pending is None
            assert not completed or settled.active.version == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_full_or_failing_disk_at_every_step_leaves_a_ring_that_works_on(number: int) -> None:
    for disk, ring, key, _ in every_failure(lambda: OSError(number, "disk"), lambda ring, _: ring.rotate()):
        disk.fail_at = 0

        assert key_of(ring) == key
        assert key_of(open_ring(FOLDER, disk=disk)) == key
        ring.rotate()
        assert key_of(open_ring(FOLDER, disk=disk)) == key


def test_power_loss_at_every_step_of_adding_an_environment_keeps_the_others() -> None:
    other = Guid("00000000-0000-7000-8000-000000000003")

    for disk, _, key, completed in every_failure(PowerLoss, lambda ring, _: ring.add_environment(other, CLOCK)):
        for seed in range(SEEDS):
            reopened = open_ring(FOLDER, disk=disk.after_power_loss(random.Random(seed)))

            assert key_of(reopened) == key
            assert not completed or other in reopened.document.environments
