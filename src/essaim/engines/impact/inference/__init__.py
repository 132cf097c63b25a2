"""Inference when few clusters were assigned: permutation first, everything else as a check."""
