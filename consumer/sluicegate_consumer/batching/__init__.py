"""Micro-batches: what waits is closed by size or by time, whichever comes first."""
