"""The command line: parse, wire, run."""
