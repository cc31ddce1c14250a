"""What tests and benchmarks stand on: real servers, agents, people and pages to try the project with."""
