"""What people say: their microphones, when somebody speaks, and in which words."""
