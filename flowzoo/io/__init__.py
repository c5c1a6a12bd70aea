"""Files of videos, features and weights: reading and writing."""
