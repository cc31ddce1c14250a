"""What an agent can do beside talking: its tool servers, its files of tools, and each call. Knows no floor."""
