"""What a meeting tells programs: `status --json` and the events, as types and as JSON. Prints nothing."""
