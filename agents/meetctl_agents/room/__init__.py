"""The LiveKit room: joining it, its events, messages and texts in it, who in it is a person, what a leg measures."""
