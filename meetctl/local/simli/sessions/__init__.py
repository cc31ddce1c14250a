"""A session without its transport: what a client asked for, what is said and when, and when it is over."""
