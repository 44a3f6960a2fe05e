"""The two tiers: how a record becomes an outcome."""
