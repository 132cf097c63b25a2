"""Who gains: effects by sub-group, change of gaps, concentration of an outcome along social advantage."""
