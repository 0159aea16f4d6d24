"""`python -m aioruns.cli`."""

from aioruns.cli import main

main()
