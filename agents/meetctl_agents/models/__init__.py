"""Language, speech and transcription models: their clients, what goes wrong with them, and who is asked instead."""
