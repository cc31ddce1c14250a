"""What comes out of a language model, cut down to what an agent says. Pure; knows no model, no room and no clock."""
