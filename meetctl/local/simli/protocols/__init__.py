"""What clients speak to the server: each generation of the Simli protocol, and the requests around a session."""
