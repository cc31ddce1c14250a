"""The meeting as the chair runs it: who is there, what was said, and by whom it is answered."""
