"""`python -m sluicegate_consumer.commands`: the command line where its script is not on the path."""

from sluicegate_consumer.commands.app import main

main()
