"""Simli's signaling: both of its protocols behind one interface, and every way in which it refuses."""
