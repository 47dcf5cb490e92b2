"""Figures and pages, from results and samples only."""
