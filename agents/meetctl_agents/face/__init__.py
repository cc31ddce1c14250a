"""An agent's face: a Simli session between the agent's voice and the room."""
