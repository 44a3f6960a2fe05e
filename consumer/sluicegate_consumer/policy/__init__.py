"""What is allowed: the policy document, and the two pure decisions that follow from it."""
