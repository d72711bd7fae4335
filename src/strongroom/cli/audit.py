"""`strongroom audit`: seal, verify, export and prove the trail."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.audit_keeping import keep, storage
from strongroom.cli.audit_reading import access, search, users
from strongroom.cli.options import environment_option, home_option, json_option, opened
from strongroom.cli.output import print_json, say
from strongroom.cli.witnesses import anchor, witness

if TYPE_CHECKING:
    from strongroom.audit.archives import ArchiveVerdict
    from strongroom.audit.verification import Verdict
    from strongroom.trail import Trail


@click.group(short_help="Verify, export and seal the audit trail.")
def audit() -> None:
    """The audit trail and its proof: a Merkle log with signed heads (RFC 6962)."""


audit.add_command(access)
audit.add_command(search)
audit.add_command(users)
audit.add_command(keep)
audit.add_command(storage)
audit.add_command(witness)
audit.add_command(anchor)


@audit.command(short_help="Check that nobody changed the trail.")
@click.argument("export", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--public-key", metavar="KEY", help="For an export: the key that `strongroom audit key` printed.")
@click.option(
    "--witness",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="F",
    help="Heads that somebody kept, as in the home's `witness` folder.",
)
@home_option
@environment_option
@json_option
def verify(
    export: Path | None,
    public_key: str | None,
    witness: Path | None,
    home: Path,
    environment: str | None,
    as_json: bool,
) -> int:
    """Check a live environment, or the file EXPORT: one that `strongroom audit export` wrote, or a segment of archived
    activities.

    An export is checked with the public key alone, on any machine. The first doubt names the first entry that fails.
    Exits with 1 when there is a doubt.
    """
    from strongroom.audit.archives import is_archive, verify_archive
    from strongroom.audit.exports import decode_key, open_export, read_witness
    from strongroom.audit.verification import verify as check
    from strongroom.errors import InvalidRequest

    if export is not None:
        if public_key is None:
            raise InvalidRequest(
                "An export is checked with --public-key: what is in the file proves nothing by itself."
            )
        public, witnessed = decode_key(public_key), read_witness(witness) if witness else []
        if is_archive(export):
            return _tell_archive(verify_archive(export, public), as_json)
        with open_export(export) as trail:
            found = check(trail.environment, public, trail.entries, trail.heads, witnessed, _progress)
        return _tell(found, as_json)
    if public_key is not None or witness is not None:
        raise InvalidRequest("--public-key and --witness go with an export; a live environment has its own.")
    from strongroom.anchoring import anchorer_of
    from strongroom.audit.activities import Activity
    from strongroom.cli.telling import tell_command

    with _opened(home, environment) as live:
        elsewhere, silent = anchorer_of(opened(home), live.environment).witnessed()
        for each in silent:
            click.echo(f"The witness {each.witness} could not be asked: {each.problem}", err=True)
        verdict = live.verify(_progress, elsewhere)
        tell_command(
            live.environment, Activity.TRAIL_VERIFIED, "audit verify", sound=not verdict.doubts, entries=verdict.size
        )
        return _tell(verdict, as_json)


@audit.command(short_help="Write the trail with its proof to a file.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="F", help="JSON lines.")
@home_option
@environment_option
def export(out: Path, home: Path, environment: str | None) -> None:
    """Write every entry, its place in the log and the signed heads to a new file. The trail tells of it."""
    from strongroom.audit.activities import Activity
    from strongroom.cli.telling import tell_command
    from strongroom.errors import InvalidRequest

    if out.exists():
        raise InvalidRequest(f"{out} is there already; remove it, or name another file.")
    with _opened(home, environment) as found, out.open("xb") as target:
        tell_command(found.environment, Activity.TRAIL_EXPORT, "audit export", file=str(out))
        number = found.export(target)
    say(f"{out}: {number:,} entries. Check it with `strongroom audit verify {out} --public-key …`.")


@audit.command(short_help="Print the public key of the log.")
@home_option
@environment_option
def key(home: Path, environment: str | None) -> None:
    """Print the key that verifies the signed heads of an environment: base64 of an Ed25519 public key."""
    from strongroom.audit.exports import encode_key

    with _opened(home, environment) as found:
        say(encode_key(found.public_key))


@audit.command("renew-key", short_help="Make another key for the log.")
@click.option("--reason", required=True, metavar="TEXT", help="Why: the old one is lost, or may be in wrong hands.")
@home_option
@environment_option
def renew_key(reason: str, home: Path, environment: str | None) -> None:
    """Make another key that signs the log's heads, and print its public key. Its first head follows on the last one of
    the old key. The trail tells of it, and an alert is raised."""
    from strongroom.audit.activities import Activity
    from strongroom.audit.exports import encode_key
    from strongroom.cli.telling import tell_command
    from strongroom.errors import InvalidRequest
    from strongroom.trail import Trail, renew_signing_key

    if not reason.strip():
        raise InvalidRequest("--reason says why: write a sentence.")
    with _opened(home, environment) as found:
        live, place = found.environment, opened(home)

        def tell() -> None:
            tell_command(live, Activity.KEY_ACTION, "audit renew-key", reason=reason.strip()[:300])

        old, new = renew_signing_key(place, live, tell)
        say(encode_key(Trail(place, live).public_key))
        click.echo(f"The key {new} follows on {old or 'none'}.", err=True)


@audit.command(short_help="Seal what is committed.")
@home_option
@environment_option
def seal(home: Path, environment: str | None) -> None:
    """Append leaves for committed entries and sign a head. A running server does so by itself, twice a second."""
    with _opened(home, environment) as found:
        say(f"{found.seal():,} entries sealed")


@audit.command(short_help="Show the newest signed heads.")
@click.option(
    "--newest", type=click.IntRange(1, 1000), default=10, show_default=True, metavar="N", help="How many of them."
)
@home_option
@environment_option
@json_option
def heads(newest: int, home: Path, environment: str | None, as_json: bool) -> None:
    """Show signed heads: keep one elsewhere, and nobody can cut the trail behind it unseen."""
    from dataclasses import asdict

    from strongroom.cli.output import table

    with _opened(home, environment) as found:
        shown = found.heads(newest)
    if as_json:
        print_json([asdict(head) for head in shown])
    else:
        say(table(("leaves", "root", "signed on"), [(f"{h.tree_size:,}", h.root, h.signed_on) for h in shown]))


class _Opened:
    """An environment's trail for one command."""

    def __init__(self, home: Path, environment: str | None) -> None:
        from strongroom.opening import open_environment
        from strongroom.trail import Trail

        found = opened(home)
        self._environment = open_environment(found, environment)
        self._trail = Trail(found, self._environment)

    def __enter__(self) -> "Trail":
        return self._trail

    def __exit__(self, *_: object) -> None:
        self._environment.close()


def _opened(home: Path, environment: str | None) -> _Opened:
    return _Opened(home, environment)


def _progress(number: int) -> None:
    click.echo(f"  {number:,} entries …", err=True)


def _tell(found: "Verdict", as_json: bool) -> int:
    if as_json:
        print_json(
            {
                "entries": found.size,
                "heads": found.heads,
                "removed": found.removed,
                "unproven": found.unproven,
                "sound": not found.doubts,
                "doubts": list(found.doubts),
            }
        )
    else:
        for doubt in found.doubts:
            say(doubt)
        removed = f", {found.removed:,} removed in good order" if found.removed else ""
        verdict = "DOUBTED" if found.doubts else "proven"
        say(f"{found.size:,} entries under {found.heads:,} signed heads{removed}: {verdict}")
    return 1 if found.doubts else 0


def _tell_archive(found: "ArchiveVerdict", as_json: bool) -> int:
    if as_json:
        print_json({"activities": found.size, "sound": not found.doubts, "doubts": list(found.doubts)})
    else:
        for doubt in found.doubts:
            say(doubt)
        say(f"{found.size:,} archived activities: {'DOUBTED' if found.doubts else 'proven'}")
    return 1 if found.doubts else 0
