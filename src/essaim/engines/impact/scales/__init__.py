"""Are the questionnaires measuring one thing, how well, and the same thing for everyone?"""
