"""At-least-once delivery over Kafka: nothing is committed before its outcome is acknowledged."""
