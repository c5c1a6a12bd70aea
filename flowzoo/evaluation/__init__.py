"""Metrics that mmaction2 lacks, registered with it."""
