"""The parts of the player: people with microphones, an ear that measures, and the pace of a scenario."""
