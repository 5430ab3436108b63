"""Hooks: thin helpers over the Amazon provider's own."""
