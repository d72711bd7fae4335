"""`strongroom keys backup` and `keys restore`: the keys of a home in a file that shares open (TS-516)."""

from pathlib import Path

import click

from strongroom.cli.options import home_option, opened
from strongroom.cli.output import say


@click.command(short_help="Keys in a file that n of m shares open.")
@click.option("--to", "path", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The file to write.")
@click.option("--shares", "total", type=int, required=True, metavar="M", help="How many shares there are.")
@click.option("--needed", type=int, required=True, metavar="N", help="How many of them open the file.")
@click.option(
    "--shares-in",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="A folder for the shares, one file for each holder.",
)
@home_option
def backup(path: Path, total: int, needed: int, folder: Path, home: Path) -> None:
    """Write the keys of a home to FILE, and M shares of what opens it, of which N are needed.

    Give each holder one share, and take the files away: who has N of them and FILE has the keys.
    """
    from strongroom.cli.keys import tell_act
    from strongroom.home.key_backup import back_up_keys
    from strongroom.jobs.data.private_files import owner_only

    opened_home = opened(home)
    tell_act(opened_home, "backup", shares=str(total), needed=str(needed))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shares = back_up_keys(opened_home, path, needed=needed, total=total)
    for number, share in enumerate(shares, 1):
        with open(folder / f"share-{number}.txt", "xb", opener=owner_only) as target:
            target.write(share.reveal() + b"\n")
    say(f"{path} holds the keys; {needed} of the {total} shares in {folder} open it.")


@click.command(short_help="Make a home of its keys and stores again.")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--share",
    "shares",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="SHARE",
    help="A file with a share; repeat it for each.",
)
@home_option
def restore(path: Path, shares: tuple[Path, ...], home: Path) -> None:
    """Put the keys in FILE back into a home without any: with its stores there, it works as before."""
    from strongroom.home.key_backup import restore_keys
    from strongroom.keys import Secret

    restored = restore_keys(path, [Secret(share.read_bytes()) for share in shares], home)
    say(f"{home} has its keys again: {len(restored.environments())} environments.")
