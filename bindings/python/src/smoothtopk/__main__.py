"""python -m smoothtopk: the command line."""

from ._program import main

main()
