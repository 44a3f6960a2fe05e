"""The first tier: models that score frames."""
