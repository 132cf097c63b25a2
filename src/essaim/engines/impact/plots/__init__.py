"""Plots of a study as accessible SVG, each with the data table it draws."""
