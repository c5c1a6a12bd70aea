"""Recognizers and recognizer-level models, registered with mmaction2."""
