"""Looks at a machine and what is around it for whatever would keep a meeting from working. It changes nothing."""
