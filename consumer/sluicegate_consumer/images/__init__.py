"""Images, from a reference to pixels. Knows nothing of Kafka and of policies."""
