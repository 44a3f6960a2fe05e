"""The demonstration: real photographs, a real broker, both services, and a report to look at."""
