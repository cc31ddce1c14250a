"""The sound and picture of a face: received, kept in time, and published into the room."""
