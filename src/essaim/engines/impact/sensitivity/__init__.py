"""How much must go wrong before the conclusion changes?"""
