"""Sessions of a face: opened, watched, renewed before their limit, and closed when nobody looks."""
