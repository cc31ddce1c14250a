"""An agent behind the floor: what it remembers, what it answers, how that is spoken, and what of it was heard."""
