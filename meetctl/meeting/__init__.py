"""A whole meeting, composed of the parts beneath: server, room, page, stand-ins, chair and agents."""
