"""sluicegate's two services: `consume` decides uploads, `escalate` asks for second opinions.

Read `consume.py` and `escalate.py` first: each shows its service from the first record to the last commit.
"""
