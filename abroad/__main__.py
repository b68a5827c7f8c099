"""`python -m abroad`, for launchers that start a module in each process (`accelerate launch -m abroad train ...`)."""

from abroad.cli import main

main()
