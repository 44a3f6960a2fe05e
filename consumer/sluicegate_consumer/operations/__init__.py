"""What every service and command rests on: settings, logs, metrics, and how a process ends."""
