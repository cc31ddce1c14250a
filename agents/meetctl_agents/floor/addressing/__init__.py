"""Whom a sentence is meant for."""
