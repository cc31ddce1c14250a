"""The permission to speak (the floor, as in RFC 8855): whom a sentence is meant for, who asks, who is granted it."""
