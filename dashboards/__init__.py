"""The dashboards: described once, written for Grafana, and drawn from a real run."""
