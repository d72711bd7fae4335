"""`python -m strongroom.cli`: the command line without its installed script."""

from strongroom.cli.main import main

main()
