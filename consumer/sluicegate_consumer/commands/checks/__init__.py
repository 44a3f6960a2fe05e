"""What `sluicegate check` looks at, one subject a module."""
