"""Statistical secrecy: what may not be published, what must go with it, and proof that an attacker learns nothing."""
