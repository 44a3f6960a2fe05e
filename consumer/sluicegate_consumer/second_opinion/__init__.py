"""The second tier: a vision language model's opinion on what the first could not tell."""
