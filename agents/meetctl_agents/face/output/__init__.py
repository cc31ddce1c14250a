"""An agent's voice on its way out: through its face where there is one, and where its speech is meanwhile."""
