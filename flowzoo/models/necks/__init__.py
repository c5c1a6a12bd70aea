"""Necks, registered with mmaction2."""
