"""Certified radii from counts of labels."""
