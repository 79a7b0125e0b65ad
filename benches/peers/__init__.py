"""The same work done by what a user would pick instead of smoothtopk, measured beside it: `make bench-peers`."""
