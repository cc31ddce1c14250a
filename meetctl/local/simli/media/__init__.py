"""Sound and picture of a session on their way to the client: over WebRTC, or into a LiveKit room."""
