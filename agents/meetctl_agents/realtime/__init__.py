"""Models that hear and speak by themselves, made to wait for the floor. Knows nothing of rooms or turns."""
