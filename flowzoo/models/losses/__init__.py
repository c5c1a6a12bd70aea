"""Losses, registered with mmaction2."""
