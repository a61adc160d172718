"""The internal listener of a node, and the ways to those of others."""
