"""Counting the labels of noisy rows: smoothtopk's way and its peers'."""
