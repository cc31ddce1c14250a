"""What every agent program is made of: the wire to its supervisor, its tasks and limits, and logs without secrets."""
