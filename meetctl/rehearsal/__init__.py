"""A meeting without people: scripted ones talk to the roster's agents in a real room, and what happens is judged."""
